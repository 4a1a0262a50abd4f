"""Twelve weeks of the demo's life: what was asked, who answered, who was called."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bot.demo.cast import WEEKS, Cast
from bot.demo.names import NOTES
from storage.calendar.recurrence import first_instant
from storage.people.places import find_place
from storage.vault import Vault, new_ref

HOUR = 10
WINDOW = timedelta(hours=72)
HOME_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(slots=True)
class History:
    """Rows to insert. ``answers[i]`` is the contact that answers ``checkins[i]``, if any."""

    checkins: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any] | None] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)


def choose_weekday(now: datetime) -> int:
    """The weekday (0 is Monday) of the demo's check-ins: the latest this week with time to answer.

    A Sunday rule would leave the running week empty until Sunday, and the demo with it.
    """
    local = now.astimezone(HOME_ZONE)
    settled = local - timedelta(hours=HOUR + 12)
    if settled.isocalendar()[:2] == local.isocalendar()[:2]:
        return settled.weekday()
    return 0 if local.hour >= HOUR + 1 else 6


def write_history(
    random: Random,
    vault: Vault,
    cast: list[Cast],
    *,
    rule_id: int,
    weekday: int,
    liaison_of: dict[int, int],
    now: datetime,
) -> History:
    """The rows of every worker; ``liaison_of`` gives the liaison's person id by area id."""
    history = History()
    days = _slots(weekday, now)
    for person in cast:
        _write_person(random, vault, history, person, days, rule_id, liaison_of, now)
    return history


def _slots(weekday: int, now: datetime) -> list[date]:
    """The local days of the check-ins, oldest first, the last in the running week if it was."""
    today = now.astimezone(HOME_ZONE).date()
    last = today - timedelta(days=(today.weekday() - weekday) % 7)
    return [last - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def _write_person(
    random: Random,
    vault: Vault,
    history: History,
    person: Cast,
    days: list[date],
    rule_id: int,
    liaison_of: dict[int, int],
    now: datetime,
) -> None:
    city = find_place(person.place) if person.place else None
    zone = ZoneInfo(city.timezone) if city and city.timezone else HOME_ZONE
    this_week = now.astimezone(HOME_ZONE).isocalendar()[:2]
    for back, day in zip(reversed(range(len(days))), days, strict=True):
        due = first_instant(zone, day, HOUR)
        if person.is_lead and day.isocalendar()[:2] == this_week:
            # The one to be tried is not heard from yet this week: the tap shows in the console.
            continue
        if due > now or due < person.since or not _is_asked(person, back):
            continue
        delivered = due + timedelta(seconds=random.randint(1, 40))
        answered = _answer_time(random, person, back, delivered, now)
        answer = "moved" if random.random() < 0.05 else "ok"
        history.checkins.append(
            {
                "person_id": person.id,
                "area_id": person.area_id,
                "rule_id": rule_id,
                "slot": day.isoformat(),
                "due_at": due,
                "window_until": due + WINDOW,
                "delivered_at": None if _is_cut_off(person, back) else delivered,
                "answered_at": answered,
                "answer": answer if answered else None,
            }
        )
        contact = _contact(person, answered, "self", "checkin", answer) if answered else None
        history.answers.append(contact)
        if answered is None:
            history.contacts += _after_silence(
                random, vault, person, back, due, liaison_of[person.area_id], now
            )
        elif random.random() < 0.06:
            later = answered + timedelta(hours=random.randint(2, 60))
            if later < now:
                history.contacts.append(_contact(person, later, "self", "status", "away"))


def _is_asked(person: Cast, back: int) -> bool:
    if person.habit in {"home", "paused", "left"}:
        return back > person.turn
    return not (person.habit == "slower" and back % 2)


def _is_cut_off(person: Cast, back: int) -> bool:
    return person.habit == "blocked" and back <= person.turn


def _answer_time(
    random: Random, person: Cast, back: int, delivered: datetime, now: datetime
) -> datetime | None:
    likely = {
        "steady": 0.94,
        "now and then": 0.55,
        "fading": 0.9 if back > person.turn else 0.0,
        "through family": 0.2,
        "blocked": 0.7 if back > person.turn else 0.0,
        "slower": 0.8,
    }.get(person.habit, 0.85)
    if not person.is_lead and random.random() > likely:
        return None
    # Most answer within the hour, some in the evening, a few the day after.
    minutes = min(random.lognormvariate(3.6, 1.5), 47 * 60)
    answered = delivered + timedelta(minutes=minutes)
    if answered < now:
        return answered
    # The newest slot is young: whoever would answer later has not yet, or was a little quicker.
    return delivered + (now - delivered) * random.random() if random.random() < 0.5 else None


def _after_silence(
    random: Random,
    vault: Vault,
    person: Cast,
    back: int,
    due: datetime,
    liaison: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """What happens when no answer came: the family says a word, or the liaison calls."""
    at = _by_day(due + timedelta(hours=random.randint(24, 80)), random)
    if at >= now:
        return []
    if person.habit == "through family":
        return [_contact(person, at, "relative", "vouch", "ok")] if random.random() < 0.8 else []
    if random.random() > (0.75 if person.phone else 0.25):
        return []
    hard = person.habit in {"fading", "blocked"} and back < person.turn
    reached = random.random() < (0.12 if hard else 0.6)
    note = random.choice(NOTES[:3] if reached else NOTES[3:]) if random.random() < 0.4 else None
    ref = new_ref() if note else None
    call = _contact(
        person, at, "liaison", "call", "reached" if reached else "not_reached", success=reached
    )
    return [
        call
        | {
            "by_person_id": liaison,
            "ref": ref,
            "note": vault.seal("contact.note", ref, note) if ref and note else None,
        }
    ]


def _by_day(at: datetime, random: Random) -> datetime:
    """The same day at an hour at which a liaison calls."""
    local = at.astimezone(HOME_ZONE)
    local = local.replace(hour=random.randint(9, 19), minute=random.randint(0, 59))
    return local.astimezone(UTC)


def _contact(
    person: Cast, at: datetime, evidence: str, kind: str, outcome: str, *, success: bool = True
) -> dict[str, Any]:
    return {
        "person_id": person.id,
        "area_id": person.area_id,
        "at": at,
        "evidence": evidence,
        "kind": kind,
        "outcome": outcome,
        "success": success,
        "checkin_id": None,
        "by_person_id": None,
        "ref": None,
        "note": None,
    }
