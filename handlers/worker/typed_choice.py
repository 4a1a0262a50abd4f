"""Which of a question's buttons somebody means by what they write."""

import re
import unicodedata
from datetime import datetime
from typing import Final

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import get_i18n

from handlers.times import TimeSaid, apart, read_span, read_time
from handlers.worker.rhythm_page import city_of, tap
from handlers.worker.typed import data_of
from storage.calendar.zone import zone_of
from storage.people.hours import DAY
from storage.people.places import find_place

_PAUSES: Final = {
    "7": ("1week", "aweek", "7days", "1周", "一周", "1个星期", "一个星期", "一星期", "7天", "七天"),
    "14": ("2weeks", "14days", "2周", "两周", "二周", "2个星期", "两个星期", "两星期", "14天"),
    "30": ("1month", "onemonth", "30days", "1个月", "一个月", "一月", "四周", "30天", "三十天"),
    "open": ("untilisayso", "open", "不知道多久", "一直", "等我说"),
}
_NEAR: Final = 10
"""A watch may be wrong by so many minutes."""


def choose(text: str, page: InlineKeyboardMarkup, now: datetime) -> str | None:
    """What the button that is meant carries, or one like it; ``None`` where that is not sure."""
    said = _bare(text)
    for row in page.inline_keyboard:
        for each in row:
            if _bare(each.text) == said:
                return each.callback_data
    offered = data_of(page)
    zones = {
        data.rpartition(":")[2]: data
        for data in offered
        if data.startswith(("md:zone:", "md:clock:")) and "/" in data
    }
    if zones:
        zone = _by_name(text, list(zones), now) or _by_time(text, list(zones), now)
        return zones[zone] if zone else None
    if any(data.startswith("md:pause:") for data in offered):
        return next((tap("pause", days) for days, all_ in _PAUSES.items() if said in all_), None)
    if any(data.startswith("md:quiet:") for data in offered):
        return _quiet(text, offered)
    if any(data.startswith("md:quiet") for data in offered) and (span := _span(text)):
        return span
    if any(data.startswith("md:hour") for data in offered):
        time = read_time(text)
        return None if time is None else tap("hour", str(_quarter(_by_day(time))))
    return None


def _bare(text: str) -> str:
    said = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    return re.sub(r"[\s。.!~]", "", said)


def _by_day(time: TimeSaid) -> int:
    """Of two the one that lies in the day, the earlier if both do."""
    opens, closes = DAY
    inside = [minute for minute in time.minutes if opens * 60 <= minute <= closes * 60]
    return (inside or time.minutes)[0]


def _quarter(minute: int) -> int:
    return (minute + 7) // 15 * 15


def _quiet(text: str, offered: list[str]) -> str | None:
    """A span, or the one end of it that is asked for."""
    span, time = _span(text), read_time(text)
    if span is not None or time is None:
        return span
    for data in offered:
        begun = re.fullmatch(r"md:quiet:(\d+)-(\d+)", data)
        if begun and int(begun[1]) < int(begun[2]):
            return _between(int(begun[1]) * 60, time)
    return tap("quiet", str(_by_day(time) // 60))


def _span(text: str) -> str | None:
    span = read_span(text)
    if span is None:
        return None
    return _between(_by_day(span[0]), span[1])


def _between(start: int, end: TimeSaid) -> str | None:
    """Full hours within the day; what reaches into the night ends where the night begins."""
    opens, closes = DAY
    later = [minute for minute in end.minutes if minute > start]
    until = min(-(-min(later) // 60), closes) if later else closes
    begin = max(start // 60, opens)
    if start >= closes * 60:
        return tap("quiet", f"{closes}-{opens}") if max(end.minutes) <= opens * 60 else None
    if not later and min(end.minutes) > opens * 60:
        return None  # It would go round the clock into the morning after.
    return tap("quiet", f"{begin}-{until}") if begin < until else None


def _by_name(text: str, zones: list[str], now: datetime) -> str | None:
    """The clock of a city: on a button, in any language, or one that places know."""
    said, i18n = _bare(text), get_i18n()
    for zone in zones:
        names = {_bare(zone.rpartition("/")[2].replace("_", " "))}
        for language in i18n.available_locales:
            with i18n.use_locale(language):
                names.add(_bare(city_of(zone)))
        if said in names:
            return zone
    place = find_place(" ".join(text.split()))
    if place is None or place.timezone is None:
        return None
    there = now.astimezone(zone_of(place.timezone)).utcoffset()
    shows = [zone for zone in zones if now.astimezone(zone_of(zone)).utcoffset() == there]
    if place.timezone in zones:
        return place.timezone
    return shows[0] if len(shows) == 1 else None


def _by_time(text: str, zones: list[str], now: datetime) -> str | None:
    """The one clock that shows the time now, by the hour if only that was said."""
    time = read_time(text)
    if time is None:
        return None
    shown = {zone: now.astimezone(zone_of(zone)) for zone in zones}
    found = [
        zone
        for zone, local in shown.items()
        if any(_shows(local.hour * 60 + local.minute, minute, time) for minute in time.minutes)
    ]
    return found[0] if len(found) == 1 else None


def _shows(clock: int, minute: int, time: TimeSaid) -> bool:
    if time.exact:
        return apart(clock, minute) <= _NEAR
    return clock // 60 == minute // 60
