"""Slots relative to a person's own dates: forwards for one, backwards for everyone, and late."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from storage.calendar.months import later_by_months
from storage.calendar.personal_dates import (
    DueDates,
    Personal,
    dates_due_on,
    days_for,
    late_slot,
    slots_for,
)
from storage.calendar.recurrence import Hours, Slot

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


def told(slots: list[Slot], zone: ZoneInfo = SHANGHAI) -> list[str]:
    return [f"{slot.key} at {slot.at.astimezone(zone):%m-%d %H:%M}" for slot in slots]


@pytest.mark.parametrize(
    ("known", "slots"),
    [
        ("2026-01-01 12:00", ["2026-05-02 at 05-02 10:00", "2026-05-25 at 05-25 10:00"]),
        ("2026-05-02 10:00", ["2026-05-02 at 05-02 10:00", "2026-05-25 at 05-25 10:00"]),
        # Five days late: at once, or when the day opens; and its key is still its own day's.
        ("2026-05-07 15:30", ["2026-05-02 at 05-07 15:30", "2026-05-25 at 05-25 10:00"]),
        ("2026-05-07 22:30", ["2026-05-02 at 05-08 08:00", "2026-05-25 at 05-25 10:00"]),
        ("2026-05-07 05:00", ["2026-05-02 at 05-07 08:00", "2026-05-25 at 05-25 10:00"]),
        ("2026-05-09 23:59", ["2026-05-02 at 05-10 08:00", "2026-05-25 at 05-25 10:00"]),
        # Eight days late: past the grace.
        ("2026-05-10 08:00", ["2026-05-25 at 05-25 10:00"]),
        # On the day itself, in the morning: not late.
        ("2026-05-25 07:00", ["2026-05-25 at 05-25 10:00"]),
        ("2026-05-25 11:00", ["2026-05-25 at 05-25 11:00"]),
        ("2026-06-01 11:00", ["2026-05-25 at 06-01 11:00"]),
        ("2026-06-02 11:00", []),
        ("2031-01-01 11:00", []),
    ],
)
def test_a_date_that_becomes_known(known: str, slots: list[str]) -> None:
    found = list(slots_for(EXPIRY, date(2026, 6, 1), SHANGHAI, at(known), Hours()))
    assert told(found) == slots
    late = late_slot(EXPIRY, date(2026, 6, 1), SHANGHAI, at(known), Hours())
    regular = {"10:00"} if not late else {late.at.astimezone(SHANGHAI).strftime("%H:%M"), "10:00"}
    assert {slot[-5:] for slot in slots} <= regular


def test_a_late_one_gives_way_to_the_next_of_the_same_day() -> None:
    rule = Personal("school-start", (-2, -1, 0))
    known = at("2026-08-31 07:00")  # the reminder of the 30th is late, that of the 31st is at ten
    assert told(list(slots_for(rule, date(2026, 9, 1), SHANGHAI, known, Hours()))) == [
        "2026-08-31 at 08-31 10:00",
        "2026-09-01 at 09-01 10:00",
    ]
    assert late_slot(rule, date(2026, 9, 1), SHANGHAI, known, Hours()) is None


def test_six_months_after_the_last_check_up_and_again() -> None:
    days = days_for(CHECK_UP, date(2026, 8, 31))
    assert days[:4] == (date(2027, 2, 21), date(2027, 2, 28), date(2027, 8, 24), date(2027, 8, 31))
    assert len(days) == 20  # it comes back ten times, not for ever
    assert days[-1] == date(2031, 8, 31)  # counted from the date itself: no drift to the 28th


def test_each_in_their_own_zone() -> None:
    for zone in (SHANGHAI, MADRID):
        slots = list(slots_for(EXPIRY, date(2026, 6, 1), zone, at("2026-01-01 12:00"), Hours()))
        assert told(slots, zone)[0] == "2026-05-02 at 05-02 10:00"


def test_the_last_of_february_is_six_months_after_four_days() -> None:
    on_the_day = Personal("last-check-up", (0,), months=6)
    assert dates_due_on(on_the_day, date(2027, 2, 28))[0] == DueDates(
        date(2026, 8, 28), date(2026, 8, 31), date(2027, 2, 28)
    )
    assert dates_due_on(on_the_day, date(2027, 2, 27))[0].last == date(2026, 8, 27)
    # No 31st is six months after a day of February or April: those are due on the month's last.
    assert all(due.first.day == 31 for due in dates_due_on(on_the_day, date(2027, 8, 31)))


@given(RULES, DATES)
def test_backwards_finds_what_forwards_plans(rule: Personal, known_date: date) -> None:
    planned = set(days_for(rule, known_date))
    near = {day + timedelta(days=by) for day in planned for by in (-31, -2, -1, 0, 1, 2)}
    for day in near | {known_date}:
        ranges = dates_due_on(rule, day)
        assert (day in planned) == any(due.first <= known_date <= due.last for due in ranges)
        assert all((due.last - due.first).days <= 3 for due in ranges)


@given(
    RULES,
    DATES,
    some.sampled_from([SHANGHAI, MADRID]),
    some.datetimes(datetime(2022, 6, 1), datetime(2034, 1, 1)),  # noqa: DTZ001
)
def test_one_person_hears_each_once_in_order_and_by_day(
    rule: Personal, known_date: date, zone: ZoneInfo, known: datetime
) -> None:
    known_at = known.replace(tzinfo=UTC)
    slots = list(slots_for(rule, known_date, zone, known_at, Hours(time(12))))
    assert slots == sorted(slots, key=lambda slot: slot.at)
    assert len({slot.key for slot in slots}) == len(slots)
    days = [slot.at.astimezone(zone).date() for slot in slots]
    assert len(set(days)) == len(days)
    for slot in slots:
        local = slot.at.astimezone(zone)
        assert slot.at >= known_at
        assert time(8) <= local.time() < time(21)
        assert local.date() - slot.day <= timedelta(days=rule.grace + 1)
    assert sum(slot.at.astimezone(zone).time() != time(12) for slot in slots) <= 1
