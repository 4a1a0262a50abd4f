"""How a person's silence is put into words for a liaison."""

from datetime import datetime

from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.say import short_day
from storage.calendar.zone import zone_of
from storage.people.places import place_name
from storage.register.silence import SilentPerson

SEPARATOR = " · "


def cut_name(name: str) -> str:
    """Short enough for a line of a list, or a button."""
    return name if len(name) <= 30 else f"{name[:29]}…"


def name_of(person: SilentPerson) -> str:
    return person.name or _("Someone without a name")


def place_of(person: SilentPerson) -> str | None:
    """Where they are now, as coarse as it is kept."""
    known = place_name(person.country, person.province, person.city, get_i18n().current_locale)
    return known or person.place


def days_between(then: datetime, now: datetime, timezone: str) -> int:
    """Whole days on the officer's calendar."""
    zone = zone_of(timezone)
    return max(0, (now.astimezone(zone).date() - then.astimezone(zone).date()).days)


def since_words(person: SilentPerson, now: datetime, timezone: str) -> str:
    """How long there has been no word."""
    days = days_between(person.since, now, timezone)
    if person.last_heard_at is None:
        return ngettext(
            "never heard from, joined {n} day ago",
            "never heard from, joined {n} days ago",
            days,
        ).format(n=days)
    if days == 0:
        return _("last word today")
    return ngettext("no word for {n} day", "no word for {n} days", days).format(n=days)


def days_words(person: SilentPerson, now: datetime, timezone: str) -> str:
    """The same, short enough for a button."""
    if person.last_heard_at is None:
        return _("never heard from")
    days = days_between(person.since, now, timezone)
    return ngettext("{n} day", "{n} days", days).format(n=days)


def why_words(person: SilentPerson, timezone: str) -> str | None:
    """Why they are silent."""
    if person.tried_at is not None and person.standing == "tried":
        return _("tried on {day}, not reached").format(day=short_day(person.tried_at, timezone))
    reasons = {
        "unreachable": _("messages don't get through any more"),
        "unanswered": _("asked this week, no answer yet"),
        "unasked": _("not asked this week"),
        "quiet": _("chose to be asked less often"),
    }
    return reasons.get(person.silence or "")


def short_why(person: SilentPerson) -> str | None:
    """Why, in a word or two, for a list."""
    if person.standing == "tried":
        return _("tried")
    reasons = {
        "unreachable": _("messages don't arrive"),
        "unanswered": _("no answer yet"),
        "unasked": _("not asked"),
        "quiet": _("asked less often"),
    }
    return reasons.get(person.silence or "")


def standing_words(person: SilentPerson) -> str | None:
    """For someone who is not silent: how there was word of them, or why none is expected."""
    said = {
        "heard": _("heard from this week"),
        "vouched": _("the family answered for them this week"),
        "reached": _("reached by a liaison this week"),
        "home": _("at home, not expected"),
        "paused": _("taking a break from messages, not expected"),
        "withdrawn": _("has left"),
        "too new": _("has only just joined, not expected yet"),
    }
    return said.get(person.excluded or person.standing or "")
