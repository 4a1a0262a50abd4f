"""The register of an area and a period: counts, rates, and the names behind them.

The definition is design.md §4; :mod:`storage.register.expected`, :mod:`storage.register.standing`
and :mod:`storage.register.feedback` say how each of its words is read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Contact, Enrolment, Person, UtcDateTime
from storage.people.areas import AreaInfo
from storage.register.counts import Counts, live_figures, register_version, share_of, weekly_counts
from storage.register.expected import REASONS, SUBTREE, bounds_of, is_newest
from storage.register.feedback import Feedback, measure_feedback
from storage.register.periods import Period
from storage.register.standing import (
    SILENCES,
    STANDINGS,
    Silence,
    Standing,
    standings_asked,
    standings_query,
)

__all__ = [
    "CLOSES_AFTER",
    "DEFINITION",
    "Counts",
    "Feedback",
    "NamedStanding",
    "Register",
    "compute_register",
    "live_figures",
    "named_register",
    "register_version",
    "standings_query",
    "weekly_counts",
]

DEFINITION: Final = "1"
"""Grows when the same rows would give other figures; a closed period keeps its own."""

CLOSES_AFTER: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Register:
    """``silence`` has every class and ``excluded`` every reason, zeros included."""

    area: str
    period: str
    definition: str
    closed: bool
    counts: Counts
    silence: dict[Silence, int]
    excluded: dict[str, int]
    feedback: Feedback

    @property
    def expected(self) -> int:
        return self.counts.expected

    @property
    def contact_rate(self) -> float | None:
        return self.counts.contact_rate

    @property
    def voluntary_rate(self) -> float | None:
        return self.counts.voluntary_rate

    @property
    def feedback_rate(self) -> float | None:
        """有效反馈率, a fraction; None when nothing was delivered."""
        return share_of(self.feedback.answered, self.feedback.delivered)

    def as_json(self) -> dict[str, Any]:
        """What ``kinroom register --json`` prints: design.md §5, key by key."""
        return {
            "area": self.area,
            "period": self.period,
            "definition": self.definition,
            "closed": self.closed,
            "expected": self.expected,
            "standing": {standing: getattr(self.counts, standing) for standing in STANDINGS},
            "silence": dict(self.silence),
            "excluded": dict(self.excluded),
            "contact_rate": self.contact_rate,
            "voluntary_rate": self.voluntary_rate,
            "feedback_rate": self.feedback_rate,
            "checkins": {
                "delivered": self.feedback.delivered,
                "answered": self.feedback.answered,
            },
        }


@dataclass(frozen=True, slots=True)
class NamedStanding:
    """An expected worker. ``name`` is empty once erased; ``last_heard_at`` is the last time they
    spoke for themselves before the period's end (or now), UTC.
    """

    person_id: int
    ref: str
    name: str
    standing: Standing
    silence: Silence | None
    last_heard_at: datetime | None


async def compute_register(tx: Tx, area: AreaInfo, period: Period, now: datetime) -> Register:
    """Count one period of an area's subtree; nothing is kept.

    ``period`` is cut in the area's zone. Raises :class:`storage.register.expected.NotBegun`.
    """
    bounds = bounds_of(area, [period], now)
    rows = await tx.execute(_counted(), bounds)
    counts: dict[str, int] = dict.fromkeys(STANDINGS, 0)
    silence: dict[Silence, int] = dict.fromkeys(SILENCES, 0)
    excluded = dict.fromkeys(REASONS, 0)
    for row in rows:
        if row.excluded is not None:
            excluded[row.excluded] += row.number
            continue
        counts[row.standing] += row.number
        if row.silence is not None:
            silence[row.silence] += row.number
    excluded["withdrawn"] += await tx.scalar(_leavers(), bounds)
    return Register(
        area=area.code,
        period=period.key,
        definition=DEFINITION,
        closed=now >= period.end + CLOSES_AFTER,
        counts=Counts(**counts),
        silence=silence,
        excluded=excluded,
        feedback=await measure_feedback(tx, area, period, now),
    )


@cache
def _counted() -> Select[str | None, str, str | None, int]:
    found = standings_asked(1).c
    parts = (found.excluded, found.standing, found.silence)
    return select(*parts, func.count().label("number")).group_by(*parts)


@cache
def _leavers() -> Select[int]:
    """Who left inside the period and had not come back by its end, as a number.

    They count where they were last enrolled. Who left earlier is of no concern to the period.
    """
    stop = bindparam("p0_stop", type_=UtcDateTime())
    return (
        select(func.count())
        .select_from(Enrolment)
        .where(
            SUBTREE,
            Enrolment.ended_as == "withdrawn",
            Enrolment.until >= bindparam("p0_start", type_=UtcDateTime()),
            Enrolment.until < stop,
            is_newest(stop),
        )
    )


async def named_register(
    tx: Tx,
    area: AreaInfo,
    period: Period,
    now: datetime,
    *,
    standing: Standing | None = None,
    silence: Silence | None = None,
    person_id: int | None = None,
) -> list[NamedStanding]:
    """The expected workers behind the figures, most in need first, then by name.

    ``standing``, ``silence`` and ``person_id`` narrow the list. The caller has checked that the
    officer may see the area, and records the look. Raises
    :class:`storage.register.expected.NotBegun`.
    """
    wanted = {"standing": standing, "silence": silence, "person_id": person_id}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    rows = await tx.execute(
        _named(frozenset(wanted)),
        {f"wanted_{name}": value for name, value in wanted.items()}
        | bounds_of(area, [period], now),
    )
    listed = [
        NamedStanding(
            person_id=row.id,
            ref=row.ref,
            name=tx.vault.open("person.name", row.ref, row.name) if row.name else "",
            standing=row.standing,
            silence=row.silence,
            last_heard_at=row.last_heard_at,
        )
        for row in rows
    ]
    return sorted(
        listed,
        key=lambda named: (-STANDINGS.index(named.standing), named.name, named.person_id),
    )


@cache
def _named(
    wanted: frozenset[str],
) -> Select[int, str, bytes | None, Standing, Silence | None, datetime]:
    narrowed: tuple[ColumnElement[bool], ...] = ()
    if "person_id" in wanted:
        narrowed = (Enrolment.person_id == bindparam("wanted_person_id"),)
    found = standings_asked(1, *narrowed).c
    spoken = aliased(Contact)
    last_heard = (
        select(spoken.at)
        .where(
            spoken.person_id == Person.id,
            spoken.evidence == "self",
            spoken.at < bindparam("p0_stop", type_=UtcDateTime()),
        )
        .order_by(spoken.at.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    named = (
        select(
            Person.id,
            Person.ref,
            Person.name,
            found.standing,
            found.silence,
            last_heard.label("last_heard_at"),
        )
        .join(Person, Person.id == found.person_id)
        .where(found.excluded.is_(None))
    )
    if "standing" in wanted:
        named = named.where(found.standing == bindparam("wanted_standing"))
    if "silence" in wanted:
        named = named.where(found.silence == bindparam("wanted_silence"))
    return named
