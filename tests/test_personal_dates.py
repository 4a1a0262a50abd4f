"""Slots relative to a person's own dates: leads, months, leap days, and what is settled."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.calendar.months import later_by_months
from storage.calendar.personal_dates import (
    Personal,
    days_for,
    meant_days,
    next_time,
)
from storage.calendar.recurrence import Hours, Slot, instant_within, planned_at

SHANGHAI, MADRID = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Madrid")
EXPIRY = Personal("certificate-expiry", (-30, -7))
CHECK_UP = Personal("last-check-up", (-7, 0), months=6)

RULES = some.builds(
    Personal,
    some.just("x"),
    some.lists(some.integers(-60, 60), min_size=1, max_size=3).map(tuple),
    some.integers(0, 14),
    some.integers(0, 20),
)
DATES = some.one_of(
    some.dates(date(2023, 1, 1), date(2032, 12, 31)),
    some.builds(later_by_months, some.just(date(2023, 1, 31)), some.integers(0, 120)),  # last days
)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def slots_for(
    rule: Personal,
    known_date: date,
    zone: ZoneInfo,
    known_at: datetime,
    hours: Hours,
    *,
    every_months: int | None = None,
    done_for: date | None = None,
) -> Iterator[Slot]:
    """One person's slots, in order, when the date became known at ``known_at`` (UTC).

    What was planned by then is left out, and what is about a day up to ``done_for``.
    """
    for turn, (day, about) in enumerate(days_for(rule, known_date, every_months)):
        slot = Slot(day, instant_within(hours, zone, day), turn)
        if planned_at(hours, zone, slot) > known_at and about > (done_for or date.min):
            yield slot


def told(slots: list[Slot], zone: ZoneInfo = SHANGHAI) -> list[str]:
    return [f"{slot.key} at {slot.at.astimezone(zone):%m-%d %H:%M}" for slot in slots]


@pytest.mark.parametrize(
    ("known", "slots"),
    [
        ("2026-01-01 12:00", ["2026-05-02 at 05-02 10:00", "2026-05-25 at 05-25 10:00"]),
        ("2026-05-02 07:59", ["2026-05-02 at 05-02 10:00", "2026-05-25 at 05-25 10:00"]),
        # That day is planned from eight on; what comes later has the next one ahead.
        ("2026-05-02 08:00", ["2026-05-25 at 05-25 10:00"]),
        ("2026-05-07 15:30", ["2026-05-25 at 05-25 10:00"]),
        ("2026-05-25 07:00", ["2026-05-25 at 05-25 10:00"]),
        ("2026-05-25 11:00", []),
        ("2031-01-01 11:00", []),
    ],
)
def test_of_a_date_that_becomes_known_the_leads_ahead_count(known: str, slots: list[str]) -> None:
    found = slots_for(EXPIRY, date(2026, 6, 1), SHANGHAI, at(known), Hours())
    assert told(list(found)) == slots


def test_six_months_after_the_last_check_up_and_again() -> None:
    days = [day for day, _ in days_for(CHECK_UP, date(2026, 8, 31))]
    assert days[:4] == [date(2027, 2, 21), date(2027, 2, 28), date(2027, 8, 24), date(2027, 8, 31)]
    assert len(days) == 20  # it comes back ten times, not for ever
    assert days[-1] == date(2031, 8, 31)  # counted from the date itself: no drift to the 28th


def test_a_date_that_comes_again_keeps_its_29th_of_february() -> None:
    born = date(2028, 2, 29)
    years = list(islice(meant_days(EXPIRY, born, 12), 5))
    assert [it.isoformat() for it in years] == [
        "2028-02-29",
        "2029-02-28",
        "2030-02-28",
        "2031-02-28",
        "2032-02-29",
    ]
    assert next_time(born, 12, date(2031, 3, 1)) == date(2032, 2, 29)
    assert next_time(born, None, date(2031, 3, 1)) is None
    assert next_time(born, None, born) == born


def test_what_was_settled_is_left_out() -> None:
    slots = slots_for(
        EXPIRY,
        date(2027, 1, 31),
        SHANGHAI,
        at("2026-01-01 12:00"),
        Hours(),
        every_months=1,
        done_for=date(2027, 2, 28),
    )
    first = list(islice(slots, 3))
    assert [slot.key for slot in first] == ["2027-03-01", "2027-03-24", "2027-03-31"]


def test_each_in_their_own_zone() -> None:
    for zone in (SHANGHAI, MADRID):
        slots = list(slots_for(EXPIRY, date(2026, 6, 1), zone, at("2026-01-01 12:00"), Hours()))
        assert told(slots, zone)[0] == "2026-05-02 at 05-02 10:00"


@given(
    RULES,
    DATES,
    some.none() | some.sampled_from([1, 3, 6, 12]),
    some.sampled_from([SHANGHAI, MADRID]),
    some.datetimes(datetime(2022, 6, 1), datetime(2034, 1, 1)),  # noqa: DTZ001
)
def test_one_person_hears_each_once_in_order_and_by_day(
    rule: Personal, known_date: date, every: int | None, zone: ZoneInfo, known: datetime
) -> None:
    known_at = known.replace(tzinfo=UTC)
    found = slots_for(rule, known_date, zone, known_at, Hours(time(12)), every_months=every)
    slots = list(islice(found, 50))
    assert [slot.day for slot in slots] == sorted({slot.day for slot in slots})
    meant = set(islice(meant_days(rule, known_date, every), 200))
    for slot in slots:
        assert slot.at >= known_at
        assert slot.at.astimezone(zone).time() == time(12)
        assert any(slot.day - timedelta(days=offset) in meant for offset in rule.offsets)
