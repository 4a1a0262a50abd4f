"""Roll calls in words: the question, its nudges, how it stands, how it ended."""

from datetime import datetime

from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.say import clock_time
from storage.calendar.zone import zone_of
from storage.outbox.contents import Told
from storage.people.destinations import Destination
from storage.people.places import place_name
from storage.rhythm.rollcall_access import RollcallInfo
from storage.rhythm.rollcall_figures import Figures, Word

MARKS = {"safe": "●", "help": "▲", "heard": "◐", "silent": "○", "unreached": "×", "left": "·"}


def usual_words() -> str:
    """What is asked where nobody wrote anything of their own."""
    return _("Is everything all right where you are?")


def where_words(where: Destination) -> str | None:
    """The place in the current language; None for everywhere."""
    return place_name(where.country, where.province, where.city, get_i18n().current_locale)


def whom_words(area_name: str, where: Destination) -> str:
    """Whom a roll call asks."""
    place = where_words(where)
    if place is None:
        return area_name
    return _("{area}, those in {place}").format(area=area_name, place=place)


def question_words(told: Told) -> str:
    """As the first message asks it; a preview shows the same."""
    place = where_words(told.where)
    head = (
        _("{area} is asking everyone:").format(area=told.area_name)
        if place is None
        else _("{area} is asking everyone in {place}:").format(area=told.area_name, place=place)
    )
    tail = _("Tap one answer, so that we know you are safe.")
    return "\n\n".join((head, told.text or usual_words(), tail))


def nudge_words(told: Told, asked: int) -> str:
    """As it is asked for the second, the third, and any later time."""
    if asked <= 2:
        said = _("{area} hasn't heard from you yet. One tap is enough, and we can rest easy.")
    elif asked == 3:
        said = _("Still waiting for your word at {area}. If you need help, tap that.")
    else:
        said = _("{area} is still thinking of you. If tapping is difficult, any word will do.")
    said = said.format(area=told.area_name)
    return f"{said}\n\n{told.text}" if told.text else said


def over_words(area_name: str, figures: Figures, word: Word) -> str:
    """How it ended, for those who were asked: no names, and no blame."""
    lines = [_("The roll call of {area} is over.").format(area=area_name)]
    known = figures.known
    if figures.missing and not known:
        lines.append(_("There is no word of anyone yet, and we go on looking."))
    elif figures.missing and (figures.missing > known or figures.left):
        # “Everyone but 21” of 22 would be a comfort that is not true.
        lines.append(
            ngettext(
                "There is word of {n} out of {asked}, and we go on looking for the others.",
                "There is word of {n} out of {asked}, and we go on looking for the others.",
                known,
            ).format(n=known, asked=figures.asked)
        )
    elif figures.missing:
        lines.append(
            ngettext(
                "There is word of everyone but {n}, and we go on looking.",
                "There is word of everyone but {n}, and we go on looking.",
                figures.missing,
            ).format(n=figures.missing)
        )
    else:
        lines.append(_("There is word of everyone."))
    if figures.help:
        lines.append(
            ngettext(
                "{n} asked for help; the liaisons know.",
                "{n} asked for help; the liaisons know.",
                figures.help,
            ).format(n=figures.help)
        )
    lines.append(
        {
            "own": _("Thank you for answering."),
            "told": _("We have had word of you; a tap of your own is welcome, too."),
            "none": _("A word from you is still welcome, whenever you can."),
        }[word]
    )
    return "\n".join(lines)


def state_word(state: str) -> str:
    return {
        "safe": _("safe"),
        "help": _("need help"),
        "heard": _("word of them in another way"),
        "silent": _("no answer yet"),
        "unreached": _("couldn't be reached"),
        "left": _("have left Kinroom"),
    }[state]


def count_lines(
    call: RollcallInfo, figures: Figures, now: datetime, timezone: str, *, next_at: bool = True
) -> list[str]:
    """How it stands, for an officer."""
    asked = ngettext("Asked: {n} person, {time}", "Asked: {n} people, {time}", figures.asked)
    lines = [
        _("Roll call: {whom}").format(whom=whom_words(call.area_name, call.where)),
        asked.format(n=figures.asked, time=clock_time(call.at, timezone)),
    ]
    if call.roots is not None:
        lines.append(_("Of those you look after."))
    lines.append("")
    for state in ("safe", "help", "heard", "silent", "unreached", "left"):
        n = figures.of(state)
        if n or state in ("safe", "help", "silent"):
            lines.append(
                _("{mark} {what}: {n}").format(mark=MARKS[state], what=state_word(state), n=n)
            )
    lines.append("")
    if call.ended_at is not None:
        lines.append(
            _("Over since {time}. Who answers now is counted all the same.").format(
                time=clock_time(call.ended_at, timezone)
            )
        )
        return lines
    if next_at and call.next_at is not None and now < call.next_at < call.closes_at:
        lines.append(
            _("Who has not answered is asked again at {time}.").format(
                time=clock_time(call.next_at, timezone)
            )
        )
    lines.append(_("It ends by itself: {time}.").format(time=_when(call.closes_at, now, timezone)))
    lines.append(_("As of {time}.").format(time=clock_time(now, timezone)))
    return lines


def _when(at: datetime, now: datetime, timezone: str) -> str:
    """The hour, with the day where it is not today's."""
    zone = zone_of(timezone)
    hour = clock_time(at, timezone)
    days = (at.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        return hour
    if days == 1:
        return _("tomorrow, {time}").format(time=hour)
    return _("{time}, in {n} days").format(time=hour, n=days)
