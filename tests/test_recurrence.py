"""Weekly slots in every zone: none skipped, none twice, gaps and repeated hours by the rule."""

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scheduler.quiet import quiet_until, zone_of
from storage.recurrence import Weekly, first_instant, next_slot

ZONES = some.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
DAYS = some.dates(date(2024, 1, 1), date(2037, 12, 31))


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


@given(ZONES, DAYS, some.integers(0, 23))
def test_every_local_time_has_one_first_instant(name: str, day: date, hour: int) -> None:
    zone = ZoneInfo(name)
    wanted = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001  # a wall clock
    instant = first_instant(zone, day, hour)
    # The first instant at which the wall clock shows the time, or is past it.
    assert local(instant, zone) >= wanted
    assert local(instant - timedelta(seconds=1), zone) < wanted
    assert local(instant, zone) - wanted <= timedelta(days=1)


@given(
    ZONES,
    some.integers(0, 6),
    some.integers(0, 23),
    some.integers(1, 4),
    DAYS,
    some.integers(0, 14 * 86400),
)
def test_slots_follow_one_another(
    name: str, weekday: int, hour: int, every: int, since: date, offset: int
) -> None:
    zone = ZoneInfo(name)
    rule = Weekly(every, weekday, hour, since)
    after = datetime(since.year, since.month, since.day, tzinfo=UTC) + timedelta(seconds=offset)
    slots = [next_slot(rule, zone, after)]
    for _ in range(6):
        slots.append(next_slot(rule, zone, slots[-1].at))
    assert slots[0].at > after
    assert slots[0].day >= since
    assert all(slot.day.weekday() == weekday for slot in slots)
    for one, following in itertools.pairwise(slots):
        assert following.day - one.day == timedelta(weeks=every)
        assert following.even != one.even
        assert abs(following.at - one.at - timedelta(weeks=every)) <= timedelta(hours=25)
        # Whenever one looks in between, it is the same slot that comes next.
        between = one.at + (following.at - one.at) / 2
        assert next_slot(rule, zone, between) == following
        assert next_slot(rule, zone, following.at - timedelta(microseconds=1)) == following


def test_hour_that_does_not_exist_moves_forward() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    assert first_instant(madrid, date(2026, 3, 29), 2) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert local(first_instant(madrid, date(2026, 3, 29), 2), madrid).hour == 3
    lord_howe = ZoneInfo("Australia/Lord_Howe")  # half an hour
    assert local(first_instant(lord_howe, date(2026, 10, 4), 2), lord_howe).minute == 30


def test_hour_that_comes_twice_counts_once() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    rule = Weekly(1, 6, 2, date(2026, 1, 1))
    first = next_slot(rule, madrid, datetime(2026, 10, 24, tzinfo=UTC))
    assert first.at == datetime(2026, 10, 25, 0, tzinfo=UTC)  # 02:00 CEST, not 02:00 CET
    assert next_slot(rule, madrid, first.at).day == date(2026, 11, 1)


@given(
    ZONES,
    some.datetimes(datetime(2024, 1, 1), datetime(2037, 12, 31)),  # noqa: DTZ001
    some.integers(0, 23),
    some.integers(0, 23),
)
def test_quiet_ends_and_is_over_then(name: str, at: datetime, start: int, end: int) -> None:
    zone, now = ZoneInfo(name), at.replace(tzinfo=UTC)
    until = quiet_until(now, zone, start, end)
    if until is None:
        return
    assert now < until <= now + timedelta(hours=26)
    assert quiet_until(until, zone, start, end) is None
    assert quiet_until(until - timedelta(seconds=1), zone, start, end) is not None


@pytest.mark.parametrize(
    ("hour", "start", "end", "until"),
    [
        (22, 21, 8, 32),
        (7, 21, 8, 8),
        (8, 21, 8, None),
        (20, 21, 8, None),
        (21, 21, 8, 32),
        (13, 12, 14, 14),
        (14, 12, 14, None),
        (3, 0, 0, None),
    ],
)
def test_quiet_hours(hour: int, start: int, end: int, until: int | None) -> None:
    day = datetime(2026, 5, 1, tzinfo=UTC)
    found = quiet_until(day + timedelta(hours=hour), ZoneInfo("UTC"), start, end)
    assert found == (None if until is None else day + timedelta(hours=until))


def test_zone_that_does_not_exist_is_that_of_most() -> None:
    assert zone_of("Nowhere/Land") == zone_of("") == ZoneInfo("Asia/Shanghai")
