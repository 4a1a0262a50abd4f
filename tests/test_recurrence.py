"""Weekly slots in every zone: none skipped, none twice, gaps and repeated hours by the rule."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scheduler.quiet import quiet_until
from storage.calendar.almanac import days_in
from storage.calendar.recurrence import (
    Around,
    Hours,
    MonthDays,
    MonthWeekdays,
    Timing,
    Weekly,
    Weeks,
    When,
    first_instant,
    instant_within,
    next_opening,
    next_slot,
    planned_days,
    slot_on,
    slots_between,
)
from storage.calendar.zone import zone_of

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


SHANGHAI, MADRID, APIA = (
    ZoneInfo("Asia/Shanghai"),
    ZoneInfo("Europe/Madrid"),
    ZoneInfo("Pacific/Apia"),
)
STARTS = date(2026, 1, 14)  # a Wednesday


def first_days(when: When, count: int = 5, starts: date = STARTS) -> list[str]:
    planned = planned_days(Timing(when, starts), starts)
    return [day.isoformat() for day, _ in itertools.islice(planned, count)]


@pytest.mark.parametrize(
    ("when", "days"),
    [
        (Weeks(1, (6,)), "2026-01-18 2026-01-25 2026-02-01"),
        (Weeks(2, (6, 2)), "2026-01-14 2026-01-18 2026-01-28 2026-02-01"),
        (Weeks(2, (0,)), "2026-01-26 2026-02-09"),  # the Monday of the first week is over
        (MonthWeekdays(1, ((1, 6),)), "2026-02-01 2026-03-01 2026-04-05"),
        (MonthWeekdays(2, ((-1, 4), (3, 0))), "2026-01-19 2026-01-30 2026-03-16 2026-03-27"),
        (MonthDays(1, (31,)), "2026-01-31 2026-02-28 2026-03-31 2026-04-30"),
        (MonthDays(1, (30, 31)), "2026-01-30 2026-01-31 2026-02-28 2026-03-30"),
        (MonthDays(3, (15, 1)), "2026-01-15 2026-04-01 2026-04-15 2026-07-01"),
        (Around("spring-festival", (0, -7)), "2026-02-10 2026-02-17 2027-01-30 2027-02-06"),
        (Around("02-29", (0,)), "2026-02-28 2027-02-28 2028-02-29"),
        (Around("new-year", (-1,)), "2026-12-31 2027-12-31"),
        (Around("laba", (0,)), "2026-01-26 2027-01-15"),
        (Around("lunar 08-15", (1, 1)), "2026-09-26 2027-09-16"),
    ],
)
def test_planned_days(when: When, days: str) -> None:
    assert first_days(when, len(days.split())) == days.split()


WEEKDAYS = some.sets(some.integers(0, 6), min_size=1).map(tuple)
WHENS = some.one_of(
    some.builds(Weeks, some.integers(1, 9), WEEKDAYS),
    some.builds(
        MonthDays, some.integers(1, 7), some.sets(some.integers(1, 31), min_size=1).map(tuple)
    ),
    some.builds(
        MonthWeekdays,
        some.integers(1, 7),
        some.sets(
            some.tuples(some.sampled_from((1, 2, 3, 4, -1)), some.integers(0, 6)), min_size=1
        ).map(tuple),
    ),
    some.builds(
        Around,
        some.sampled_from(("spring-festival", "laba", "new-year", "02-29", "qingming")),
        some.sets(some.integers(-366, 366), min_size=1, max_size=4).map(tuple),
    ),
)


def is_planned(when: When, starts: date, day: date) -> bool:
    """The same by looking at one day, as a person with a calendar would."""
    if isinstance(when, Weeks):
        monday = starts - timedelta(days=starts.weekday())
        return day.weekday() in when.weekdays and (day - monday).days // 7 % when.every == 0
    if isinstance(when, Around):
        bases = {
            base for year in range(day.year - 2, day.year + 3) for base in days_in(year, when.day)
        }
        return any(day - timedelta(days=offset) in bases for offset in when.offsets)
    if ((day.year - starts.year) * 12 + day.month - starts.month) % when.every:
        return False
    last = (day + timedelta(days=1)).day == 1
    if isinstance(when, MonthDays):
        return day.day in when.days or (last and any(number > day.day for number in when.days))
    nth = (day.day + 6) // 7
    in_last_week = (day + timedelta(days=7)).month != day.month
    return any(
        day.weekday() == weekday and (n == nth or (n == -1 and in_last_week))
        for n, weekday in when.weekdays
    )


@given(WHENS, DAYS, some.integers(0, 800))
def test_planned_days_are_those_of_the_rule(when: When, starts: date, later: int) -> None:
    first = starts + timedelta(days=later)
    span = [first + timedelta(days=by) for by in range(500)]
    planned = list(
        itertools.takewhile(lambda on: on[0] <= span[-1], planned_days(Timing(when, starts), first))
    )
    assert [day for day, _ in planned] == [day for day in span if is_planned(when, starts, day)]
    if not isinstance(when, Around):
        assert all(one[1] < two[1] for one, two in itertools.pairwise(planned))


@given(WHENS, ZONES, DAYS, some.integers(0, 900 * 86400))
def test_slots_between_and_the_next_slot_agree(
    when: When, name: str, starts: date, offset: int
) -> None:
    zone, timing = ZoneInfo(name), Timing(when, starts, starts + timedelta(days=1500))
    start = datetime(starts.year, starts.month, starts.day, tzinfo=UTC) + timedelta(seconds=offset)
    slots = list(slots_between(timing, zone, start, start + timedelta(days=400)))
    assert len({slot.key for slot in slots}) == len(slots)
    after, found = start - timedelta(microseconds=1), []
    while (slot := next_slot(timing, zone, after)) and slot.at < start + timedelta(days=400):
        assert slot_on(timing, zone, slot.day) == slot
        found.append(slot)
        after = slot.at
    assert found == slots


def test_slower_people_are_asked_every_other_time() -> None:
    """Every second Sunday of a weekly rule; around a festival the first of two, every year."""
    weekly = Timing(Weeks(1, (6,)), STARTS)
    turns = [turn for _, turn in itertools.islice(planned_days(weekly, STARTS), 6)]
    assert turns == list(range(turns[0], turns[0] + 6))
    festival = Timing(Around("spring-festival", (-7, 0)), STARTS)
    turns = [turn for _, turn in itertools.islice(planned_days(festival, STARTS), 4)]
    assert turns == [0, 1, 0, 1]
    old, new = Weekly(3, 6, 10, STARTS), Timing(Weeks(3, (6,)), STARTS)
    at = datetime(2026, 5, 1, tzinfo=UTC)
    assert next_slot(old, MADRID, at) == next_slot(new, MADRID, at)


def test_a_rule_ends_and_so_does_the_almanac() -> None:
    timing = Timing(Weeks(1, (6,)), STARTS, date(2026, 2, 1))
    slots = list(
        slots_between(
            timing, SHANGHAI, datetime(2020, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        )
    )
    assert [slot.key for slot in slots] == ["2026-01-18", "2026-01-25", "2026-02-01"]
    assert next_slot(timing, SHANGHAI, slots[-1].at) is None
    for when in (Weeks(5, (6,)), MonthDays(7, (31,)), Around("winter-solstice", (300, 0))):
        endless = Timing(when, STARTS)
        assert next_slot(endless, SHANGHAI, datetime(2101, 6, 1, tzinfo=UTC)) is None
        last = list(planned_days(endless, date(2096, 1, 1)))[-1][0]
        assert last.year in {2099, 2100}
    unborn = next_slot(Timing(MonthDays(1, (1,)), date(2030, 1, 1)), SHANGHAI, slots[0].at)
    assert unborn is not None
    assert unborn.key == "2030-01-01"


def test_a_day_a_zone_left_out_waits_for_the_next_morning() -> None:
    """Samoa had no 30 December 2011. Both that day's slot and the next day's are wanted once."""
    daily = Timing(Weeks(1, tuple(range(7))), date(2011, 12, 1))
    start = datetime(2011, 12, 29, tzinfo=UTC)
    slots = list(slots_between(daily, APIA, start, start + timedelta(days=3)))
    assert [f"{slot.key} {local(slot.at, APIA):%d %H:%M}" for slot in slots] == [
        "2011-12-29 29 10:00",
        "2011-12-30 31 08:00",
        "2011-12-31 31 10:00",
        "2012-01-01 01 10:00",
    ]
    waiting = next_slot(daily, APIA, slots[1].at - timedelta(hours=3))
    assert waiting == slots[1]  # early on the 31st the 30th's is still to come
    early = Timing(daily.when, daily.starts, None, Hours(time(8)))
    slots = list(slots_between(early, APIA, start, start + timedelta(days=3)))
    assert len({slot.at for slot in slots}) == len(slots) == 3
    assert next_slot(early, APIA, slots[1].at) == slots[2]


def test_hours_that_a_change_skips_open_the_next_day() -> None:
    night = Hours(time(2, 30), time(2), time(3))
    at = instant_within(night, MADRID, date(2026, 3, 29))
    assert at == datetime(2026, 3, 30, tzinfo=UTC)  # two o'clock of the next day
    now = datetime(2026, 5, 1, 3, tzinfo=UTC)
    assert next_opening(Hours(), SHANGHAI, now) == now
    assert next_opening(Hours(), MADRID, now) == datetime(2026, 5, 1, 6, tzinfo=UTC)
    late = datetime(2026, 5, 1, 13, tzinfo=UTC)
    assert next_opening(Hours(), SHANGHAI, late) == datetime(2026, 5, 2, tzinfo=UTC)


def test_years_ahead_are_not_computed_before_they_are_asked_for() -> None:
    slots = slots_between(
        Timing(Weeks(1, (6,)), STARTS),
        SHANGHAI,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    )
    assert next(slots).key == "2026-01-18"
    assert next(slots).key == "2026-01-25"
