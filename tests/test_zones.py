"""Every zone there is, and the next ten years: one slot a planned day, never in a gap, never twice.

Six hundred names behave in some ninety ways, told apart by when their clocks change and by how
much; each way is swept once. Away from a change a slot is its local time less a fixed offset, so
all hours of the day are tried around every change, and one hour on every day of the ten years.
"""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from scheduler.checkins import quarters_of
from scheduler.quiet import wait_until
from storage.calendar.recurrence import Around, Hours, Timing, Weeks, next_slot, slots_between

FIRST, LAST = date(2026, 1, 1), date(2036, 12, 31)
START, STOP = datetime(2026, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
DAILY = Weeks(1, tuple(range(7)))

Change = tuple[datetime, timedelta, timedelta]


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def local(zone: ZoneInfo, at: datetime) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def changes(zone: ZoneInfo) -> Iterator[Change]:
    """When the clocks change, from what to what: looked for in every span of three days."""
    at, before = START, offset(zone, START)
    while at < STOP:
        later = at + 3 * DAY
        after = offset(zone, later)
        if after != before:
            low, high = at, later
            while high - low > SECOND:
                middle = low + (high - low) // 2
                low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
            yield high.replace(microsecond=0), before, after
        at, before = later, after


@cache
def ways() -> dict[tuple[timedelta, tuple[Change, ...]], ZoneInfo]:
    """One zone for each way a zone behaves in these years."""
    found: dict[tuple[timedelta, tuple[Change, ...]], ZoneInfo] = {}
    for name in sorted(available_timezones() - {"localtime", "Factory"}):
        zone = ZoneInfo(name)
        found.setdefault((offset(zone, START), tuple(changes(zone))), zone)
    return found


def test_the_ways_are_looked_for_well() -> None:
    """Some sixty in today's tz database, half of them with changes."""
    assert 40 < len(ways()) < 200
    assert sum(bool(changed) for _, changed in ways()) > 20
    names = {"Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"}
    for zone in map(ZoneInfo, names):
        assert (offset(zone, START), tuple(changes(zone))) in ways()
        assert len(list(changes(zone))) in {22, 24}  # two a year; Ramadan comes twice in 2030


def test_every_day_of_ten_years_has_its_slot_by_day() -> None:
    hours = Hours(time(20, 59))
    timing = Timing(DAILY, FIRST, LAST, hours)
    for zone in ways().values():
        day, before = FIRST, START - 2 * DAY
        for slot in slots_between(timing, zone, START - 2 * DAY, STOP + 2 * DAY):
            assert (slot.day, slot.key) == (day, day.isoformat()), zone
            assert local(zone, slot.at) == datetime.combine(day, hours.at), zone
            assert slot.at > before
            day, before = day + DAY, slot.at
        assert day == LAST + DAY, zone


def test_around_every_change_each_hour_comes_once() -> None:
    for (_, changed), zone in ways().items():
        for at, before, after in changed:
            for wanted in _hours_near(at, before, after):
                timing = Timing(DAILY, FIRST, None, Hours(wanted, time.min, time.min))
                slots = list(slots_between(timing, zone, at - 3 * DAY, at + 3 * DAY))
                first = slots[0].day
                assert [slot.day for slot in slots] == [
                    first + timedelta(days=place) for place in range(len(slots))
                ], (zone, wanted)
                assert len(slots) in {5, 6, 7}
                for slot in slots:
                    planned = datetime.combine(slot.day, wanted)
                    # The first instant whose wall clock shows the planned time or is past it.
                    assert local(zone, slot.at) >= planned, (zone, slot)
                    assert local(zone, slot.at - SECOND) < planned, (zone, slot)
                    gap = max(after - before, timedelta(0))
                    assert local(zone, slot.at) - planned <= gap, (zone, slot)


def _hours_near(at: datetime, before: timedelta, after: timedelta) -> set[time]:
    """Local times before, at, inside and after the gap or the repeated hour, and usual ones."""
    edges = [(at + shift).replace(tzinfo=None) for shift in (before, after)]
    middle = edges[0] + (edges[1] - edges[0]) / 2
    minute = timedelta(minutes=1)
    near = [*edges, middle, *(edge - minute for edge in edges), *(edge + minute for edge in edges)]
    return {moment.time().replace(second=0, microsecond=0) for moment in near} | {
        time(0),
        time(2, 30),
        time(10),
    }


def test_a_rule_by_day_is_never_due_at_night() -> None:
    timings = [
        Timing(DAILY, FIRST, None, Hours(time(hour, minute)))
        for hour, minute in ((8, 0), (10, 0), (20, 59))
    ]
    timings.append(Timing(Around("spring-festival", (-7, 0, 1)), FIRST))
    for (_, changed), zone in ways().items():
        for at in [change[0] for change in changed]:
            for timing in timings:
                for slot in slots_between(timing, zone, at - 2 * DAY, at + 2 * DAY):
                    assert time(8) <= local(zone, slot.at).time() < time(21), (zone, slot)


def test_looking_at_any_time_finds_the_same_slots() -> None:
    timing = Timing(Weeks(2, (2, 6)), FIRST, None, Hours(time(2, 30), time.min, time.min))
    for (_, changed), zone in ways().items():
        for at in [change[0] for change in changed[:4]]:
            slots = list(slots_between(timing, zone, at - 20 * DAY, at + 20 * DAY))
            for slot, following in itertools.pairwise(slots):
                assert next_slot(timing, zone, slot.at - SECOND) == slot
                assert next_slot(timing, zone, slot.at) == following
                assert next_slot(timing, zone, following.at - SECOND) == following


def test_everyone_is_asked_once_a_day_at_their_own_quarter_and_by_day() -> None:
    """Around every change: the quarters of the day are within the rule's hours, each is once."""
    for hours in (Hours(), Hours(time(8), time(8), time(8, 15)), Hours(time(20), time(18))):
        timing = Timing(DAILY, FIRST, None, hours)
        for (_, changed), zone in ways().items():
            for at in [change[0] for change in changed]:
                for slot in slots_between(timing, zone, at - 2 * DAY, at + 2 * DAY):
                    quarters = quarters_of(hours, zone, slot)
                    minutes = [quarter.minute for quarter in quarters]
                    assert minutes == sorted(set(minutes)), (zone, slot)
                    for quarter in quarters:
                        there = local(zone, quarter.at)
                        assert there.date() == slot.day, (zone, slot, quarter)
                        assert hours.are_open(there.time()), (zone, slot, quarter)
                        assert there.hour * 60 + there.minute == quarter.minute, (zone, quarter)


def test_nothing_unasked_leaves_at_night_in_any_zone() -> None:
    """Whatever somebody chose, what waits leaves between eight and nine in the evening, theirs."""
    chosen = [(21, 8), (22, 7), (8, 16), (19, 10), (12, 14), (20, 21)]
    for (_, changed), zone in ways().items():
        moments = [START, *(change[0] for change in changed)]
        for moment in moments:
            for quarters in range(-100, 100, 7):
                now = moment + timedelta(minutes=15 * quarters)
                for start, end in chosen:
                    leaves = wait_until(now, zone, start, end) or now
                    hour = local(zone, leaves).hour
                    assert 8 <= hour < 21, (zone, now)
                    quiet = start <= hour < end if start < end else hour >= start or hour < end
                    assert not quiet, (zone, now, start, end)
                    assert leaves - now < timedelta(hours=27), (zone, now)
