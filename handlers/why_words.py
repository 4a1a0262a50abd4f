"""Why something was, or was not, sent: facts as sentences, for the command and the console."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Literal

from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from handlers.moments import Moments
from handlers.rule_words import listed, schedule_words
from handlers.say import zone_name
from handlers.why_happened import (
    asked_words,
    coming_words,
    family_words,
    heard_often_words,
    heard_words,
    message_words,
    step_words,
    task_words,
)
from handlers.why_verdict import not_expected, verdict_words
from scheduler.quiet import NIGHT
from storage.people.places import place_name
from storage.rhythm.why_facts import (
    Asked,
    Coming,
    Expected,
    Fact,
    FamilyAsked,
    Forgotten,
    Habits,
    Heard,
    Message,
    NoMessages,
    Reach,
    RemindersKept,
    RuleHeld,
    StepTaken,
    TaskNoted,
    Verdict,
    Where,
    Why,
)

Part = Literal["who", "rules", "happened", "next"]
PARTS: tuple[Part, ...] = ("who", "rules", "happened", "next")


def part_word(part: Part) -> str:
    return {
        "who": _("Who and where"),
        "rules": _("What the rules say"),
        "happened": _("What happened"),
        "next": _("What comes next"),
    }[part]


def told(why: Why, today: date) -> dict[Part, list[str]]:
    """The facts as sentences, in their parts; each part has at least one but the third.

    One sentence is for all that they did themselves with nothing else between.
    """
    found: dict[Part, list[str]] = {part: [] for part in PARTS}
    when = Moments(why.timezone, today)
    for own, group in groupby(sentences(why, today), lambda told: _is_own(told[0])):
        those = list(group)
        heard = [fact for fact, _words in those if isinstance(fact, Heard)]
        if own and len(heard) > 1:
            found["happened"].append(heard_often_words(heard, when))
            continue
        for fact, words in those:
            found[_part(fact)].append(words)
    return found


def _is_own(fact: Fact) -> bool:
    return isinstance(fact, Heard) and fact.evidence == "self"


def sentences(why: Why, today: date) -> Iterator[tuple[Fact, str]]:
    """Each fact with its words in the current language; a rule is called by when it asks."""
    when = Moments(why.timezone, today)
    tables = dict(why.tables)
    tables.update((held.code, held.table) for held in why.of(RuleHeld))
    names = {code: schedule_words(table) for code, table in tables.items()}
    for fact in why.facts:
        # Chinese puts no space between sentences.
        yield fact, _sentence(fact, when, names).replace("。 ", "。")


def _part(fact: Fact) -> Part:
    if isinstance(fact, Where | Expected | Habits | Reach):
        return "who"
    if isinstance(fact, RuleHeld | Verdict | RemindersKept):
        return "rules"
    return "next" if isinstance(fact, Coming) else "happened"


def _sentence(fact: Fact, when: Moments, names: Mapping[str, str]) -> str:
    match fact:
        case Where() | Habits() | Reach() | Expected():
            return _person_words(fact, when)
        case RuleHeld():
            return _rule_words(fact, when)
        case Verdict():
            return verdict_words(fact, when, names)
        case Asked():
            return asked_words(fact, when, names)
        case RemindersKept():
            return _("Reminders are the person's own choice and are not shown here.")
        case Message():
            return message_words(fact, when)
        case StepTaken():
            return step_words(fact, when)
        case FamilyAsked():
            return family_words(fact, when)
        case TaskNoted():
            return task_words(fact, when)
        case Heard():
            return heard_words(fact, when)
        case Coming():
            return coming_words(fact, when)
        case NoMessages():
            return _("No message was on its way to them on that day.")
        case Forgotten():
            return _(
                "What was sent before {day} is not kept any more: messages are kept for 30 days. "
                "What they proved stands in the check-ins."
            ).format(day=when.day_of(fact.before))


def _person_words(fact: Where | Habits | Reach | Expected, when: Moments) -> str:
    match fact:
        case Where():
            return _where(fact)
        case Habits():
            return _habits(fact)
        case Reach():
            return _reach(fact, when)
        case Expected():
            if fact.expected or fact.reason is None:
                return _("They agreed to be written to, and are asked how they are.")
            return not_expected(fact.reason, fact.since, fact.until, when)


def _where(where: Where) -> str:
    language = get_i18n().current_locale
    place = place_name(where.country, where.province, where.city, language)
    words = _("By the clock of {zone}.").format(zone=zone_name(where.timezone))
    if where.area_name is not None:
        words += " " + _("On the register of {area}.").format(area=where.area_name)
    if place is not None:
        words += " " + _("Now in {place}.").format(place=place)
    if where.moved_since:
        words += " " + _("They have moved since: where they were that day is not kept.")
    return words


def _habits(habits: Habits) -> str:
    parts = []
    if habits.chosen_minute is not None:
        parts.append(_("asked at {time}, as they chose").format(time=_clock(habits.chosen_minute)))
    elif habits.usual_minute is not None:
        parts.append(
            _("asked towards {time}, when they usually answer").format(
                time=_clock(habits.usual_minute)
            )
        )
    if habits.slower and habits.monthly:
        parts.append(_("asked once a month, as they chose"))
    elif habits.slower:
        parts.append(_("asked every other time, as they chose"))
    quiet = (habits.quiet_from, habits.quiet_to)
    if quiet != NIGHT and quiet[0] != quiet[1]:
        parts.append(
            _("nothing between {start} and {end}").format(
                start=_clock(quiet[0] * 60), end=_clock(quiet[1] * 60)
            )
        )
    if parts:
        words = _("Their own choice: {parts}.").format(parts=listed(parts))
    else:
        words = _("They chose no hours of their own.")
    night = _("Nothing between {start} and {end}: the night, as for everyone.").format(
        start=_clock(NIGHT[0] * 60), end=_clock(NIGHT[1] * 60)
    )
    return f"{words} {night}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _reach(reach: Reach, when: Moments) -> str:
    if reach.channel is None:
        return _("There is no chat to reach them at.")
    since = "" if reach.since is None else when.at(reach.since)
    return {
        "reachable": _("{channel}: can be reached."),
        "blocked": _("{channel}: they blocked the chat, since {at}."),
        "gone": _("{channel}: the chat is gone, since {at}."),
    }.get(reach.state, _("{channel}: {at}")).format(channel=channel_word(reach.channel), at=since)


def channel_word(channel: str) -> str:
    return {
        "telegram": _("Telegram"),
        "web": _("Web chat"),
        "gateway": _("Text messages"),
    }.get(channel, channel)


def _rule_words(rule: RuleHeld, when: Moments) -> str:
    words = _("Check-ins: {schedule} ({code}).").format(
        schedule=schedule_words(rule.table), code=rule.code
    )
    if rule.inherited:
        words += " " + _("It comes from {area}.").format(area=rule.area_name)
    if rule.overrides:
        words += " " + _("It takes the place of the same rule of {areas}.").format(
            areas=listed(rule.override_names)
        )
    if rule.versions > 1:
        words += " " + _("Version {n} of {all}, since {at}.").format(
            n=rule.version, all=rule.versions, at=when.at(rule.version_at)
        )
    return words
