"""What a rule says, in the reader's words: for the console's pages and for ``kinroom why``."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _
from babel.dates import format_skeleton, get_day_names
from babel.lists import format_list

from storage.rules.table import as_table
from storage.rules.terms import ReminderTerms, Terms
from storage.rules.words import WEEKDAYS


def schedule_words(table: dict[str, Any]) -> str:
    """When a rule is due, from its table: "every 2 weeks on Sunday, at 10:00"."""
    if "around" in table:
        when = _around(table["around"], _offsets(table))
    elif "date" in table:
        when = _personal(table)
    else:
        when = _recurring(table)
    return _("{when}, at {time}").format(when=when, time=table["at"])


def _recurring(table: dict[str, Any]) -> str:
    count, unit = str(table["every"]).split()
    n = int(count)
    days = listed(_day_word(on) for on in table["on"])
    if n == 1:
        words = _("every week on {days}") if unit == "week" else _("every month on {days}")
    elif unit == "weeks":
        words = ngettext("every {n} week on {days}", "every {n} weeks on {days}", n)
    else:
        words = ngettext("every {n} month on {days}", "every {n} months on {days}", n)
    return words.format(n=n, days=days)


def _day_word(on: object) -> str:
    if isinstance(on, int):
        return _("day {n}").format(n=on)
    words = str(on).split()
    weekday = weekday_word(WEEKDAYS.index(words[-1]))
    if len(words) == 1:
        return weekday
    return {
        "first": _("the first {weekday}"),
        "second": _("the second {weekday}"),
        "third": _("the third {weekday}"),
        "fourth": _("the fourth {weekday}"),
        "last": _("the last {weekday}"),
    }[words[0]].format(weekday=weekday)


def weekday_word(weekday: int) -> str:
    """0 is Monday."""
    names = get_day_names("wide", locale=get_i18n().current_locale)
    return str(names[weekday])


def _around(day: str, offsets: list[int]) -> str:
    return _counted(offsets, calendar_day(day))


def _personal(table: dict[str, Any]) -> str:
    day = personal_date(table["date"])
    if "every" in table:
        months = int(str(table["every"]).split()[0])
        again = ngettext(
            "{n} month after {day}, and again", "every {n} months after {day}", months
        ).format(n=months, day=day)
        return _("{again}: {days}").format(again=again, days=_around_it(_offsets(table)))
    return _counted(_offsets(table), day)


def _counted(offsets: Iterable[int], day: str) -> str:
    """“30 and 7 days before the day, on the day and 3 days after”: it is named once, first."""
    known = sorted(set(offsets))
    before = [-offset for offset in known if offset < 0]
    after = [offset for offset in known if offset > 0]
    parts = []
    if before:
        words = ngettext("{n} day before {day}", "{n} days before {day}", before[0])
        parts.append(words.format(n=_numbers(before), day=day))
    if 0 in known:
        words = _("on the day itself") if parts else _("on {day}")
        parts.append(words.format(day=day))
    if after and parts:
        words = ngettext("{n} day after it", "{n} days after it", after[-1])
        parts.append(words.format(n=_numbers(after)))
    elif after:
        words = ngettext("{n} day after {day}", "{n} days after {day}", after[-1])
        parts.append(words.format(n=_numbers(after), day=day))
    return listed(parts)


def _around_it(offsets: Iterable[int]) -> str:
    """The same of a day that was named before: “7 days before and on the day itself”."""
    known = sorted(set(offsets))
    before = [-offset for offset in known if offset < 0]
    after = [offset for offset in known if offset > 0]
    parts = []
    if before:
        words = ngettext("{n} day before", "{n} days before", before[0])
        parts.append(words.format(n=_numbers(before)))
    if 0 in known:
        parts.append(_("on the day itself"))
    if after:
        words = ngettext("{n} day after it", "{n} days after it", after[-1])
        parts.append(words.format(n=_numbers(after)))
    return listed(parts)


def _numbers(days: list[int]) -> str:
    """“30 and 7”, for a sentence that says “days” behind the last."""
    words = str(days[-1])
    if len(days) > 1:
        # Chinese says the unit behind every number.
        words = _("{days} and {last}").format(days=days[-2], last=words)
    for each in reversed(days[:-2]):
        words = _("{days}, {more}").format(days=each, more=words)
    return words


def _offsets(table: dict[str, Any]) -> list[int]:
    if "lead" in table:
        return [-int(str(lead).removesuffix("d")) for lead in table["lead"]]
    return [int(each) for each in table.get("days", [0])]


def calendar_day(day: str) -> str:
    """A day of the almanac by its name, or its date."""
    known = named_days().get(day)
    if known is not None:
        return known()
    month, number = day.removeprefix("lunar ").split("-")
    if day.startswith("lunar "):
        words = _("day {day} of lunar month {month}")
        return words.format(day=int(number), month=int(month))
    # 2024 had a 29 February.
    found = date(2024, int(month), int(number))
    return str(format_skeleton("MMMd", found, locale=get_i18n().current_locale))


def named_days() -> dict[str, Callable[[], str]]:
    """Days of the calendar that have names, in the order of a year."""
    return {
        "new-year": lambda: _("New Year's Day"),
        "laba": lambda: _("Laba"),
        "little-new-year": lambda: _("Little New Year"),
        "new-years-eve": lambda: _("New Year's Eve"),
        "spring-festival": lambda: _("Spring Festival"),
        "lantern": lambda: _("Lantern Festival"),
        "qingming": lambda: _("Qingming"),
        "labour-day": lambda: _("Labour Day"),
        "dragon-boat": lambda: _("Dragon Boat Festival"),
        "qixi": lambda: _("Qixi"),
        "ghost": lambda: _("Ghost Festival"),
        "mid-autumn": lambda: _("Mid-Autumn"),
        "national-day": lambda: _("National Day"),
        "double-ninth": lambda: _("Double Ninth"),
        "winter-solstice": lambda: _("Winter Solstice"),
    }


def personal_date(code: str) -> str:
    return {
        "certificate-expiry": _("the day their certificate expires"),
        "last-check-up": _("their last check-up"),
        "residence-permit-expiry": _("the day their residence permit expires"),
        "contract-end": _("the day their contract ends"),
        "school-start": _("the day their child starts school"),
    }.get(code, _("a date of their own ({code})").format(code=code))


def rule_title(terms: Terms, topics: Mapping[str, str]) -> str:
    """What a rule is called: its topic's name (``topics`` by code), or when it asks."""
    if isinstance(terms, ReminderTerms):
        return topics.get(terms.topic) or terms.topic
    return as_line(schedule_words(as_table(terms)))


def as_line(words: str) -> str:
    """Words that stand alone, not inside a sentence: with a capital where there are any."""
    return words[:1].upper() + words[1:]


def kind_word(kind: str) -> str:
    return _("reminder") if kind == "reminder" else _("check-in")


def then_word(then: str) -> str:
    return {
        "none": _("nothing follows"),
        "liaison": _("the liaison gets a task"),
        "relative-first": _("the family is asked first, then the liaison gets a task"),
    }[then]


def silence_words(table: dict[str, Any]) -> str:
    """What follows silence: nudges, and then who is asked."""
    nudges = [str(nudge).removesuffix("h") for nudge in table.get("nudges", [])]
    if nudges:
        asked = _("Asked again after {hours} hours").format(hours=listed(nudges))
    else:
        asked = _("Asked once")
    window = str(table["window"]).removesuffix("h")
    return _("{asked}; an answer counts for {n} hours; then {then}").format(
        asked=asked, n=window, then=then_word(table["then"])
    )


def listed(parts: Iterable[str]) -> str:
    """“Sunday and Friday”."""
    return str(format_list(list(parts), locale=get_i18n().current_locale))
