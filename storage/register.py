"""The register of an area and a period: counts, rates, and the names behind them.

The definition is design.md §4; :mod:`storage.expected`, :mod:`storage.standing` and
:mod:`storage.feedback` say how each of its words is read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Text, bindparam, func, literal, select
from sqlalchemy.orm import aliased

from storage.areas import AreaInfo, in_subtree
from storage.database import Tx
from storage.expected import REASONS, is_newest, stop_of
from storage.feedback import Feedback, measure_feedback
from storage.models import Area, Contact, Enrolment, Person, UtcDateTime
from storage.periods import Period, weeks_back
from storage.standing import SILENCES, STANDINGS, Silence, Standing, standings

DEFINITION: Final = "1"
"""Grows when the same rows would give other figures; a closed period keeps its own."""

CLOSES_AFTER: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Counts:
    """Expected workers by standing. Larger areas are counted anew, never averaged."""

    heard: int = 0
    vouched: int = 0
    reached: int = 0
    tried: int = 0
    silent: int = 0

    @property
    def expected(self) -> int:
        return self.heard + self.vouched + self.reached + self.tried + self.silent

    @property
    def contact_rate(self) -> float | None:
        """有效联系率, a fraction; None when nobody was expected."""
        return _share(self.heard + self.vouched + self.reached, self.expected)

    @property
    def voluntary_rate(self) -> float | None:
        """自主联系率, a fraction; None when nobody was expected."""
        return _share(self.heard, self.expected)


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
        return _share(self.feedback.answered, self.feedback.delivered)

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

    ``period`` is cut in the area's zone. Raises :class:`storage.expected.NotBegun`.
    """
    found = standings(area, [period], now).c
    rows = await tx.execute(
        select(
            found.excluded, found.standing, found.silence, func.count().label("number")
        ).group_by(found.excluded, found.standing, found.silence)
    )
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
    excluded["withdrawn"] += await _count_leavers(tx, area, period, now)
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


async def _count_leavers(tx: Tx, area: AreaInfo, period: Period, now: datetime) -> int:
    """Who left inside the period and had not come back by its end, as a number.

    They count where they were last enrolled. Who left earlier is of no concern to the period.
    """
    stop = stop_of(period, now)
    count: int = await tx.scalar(
        select(func.count())
        .select_from(Enrolment)
        .join(Area, Area.id == Enrolment.area_id)
        .where(
            in_subtree(Area.path, area.path),
            Enrolment.ended_as == "withdrawn",
            Enrolment.until >= period.start,
            Enrolment.until < stop,
            is_newest(literal(stop, UtcDateTime())),
        )
    )
    return count


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
    officer may see the area, and records the look. Raises :class:`storage.expected.NotBegun`.
    """
    narrowed = () if person_id is None else (Enrolment.person_id == person_id,)
    found = standings(area, [period], now, *narrowed).c
    wanted: list[ColumnElement[bool]] = [found.excluded.is_(None)]
    if standing is not None:
        wanted.append(found.standing == standing)
    if silence is not None:
        wanted.append(found.silence == silence)
    spoken = aliased(Contact)
    last_heard = (
        select(spoken.at)
        .where(
            spoken.person_id == Person.id,
            spoken.evidence == "self",
            spoken.at < stop_of(period, now),
        )
        .order_by(spoken.at.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(
            Person.id,
            Person.ref,
            Person.name,
            found.standing,
            found.silence,
            last_heard.label("last_heard_at"),
        )
        .join(Person, Person.id == found.person_id)
        .where(*wanted)
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


async def live_figures(tx: Tx, area: AreaInfo, now: datetime) -> dict[str, Any]:
    """This week so far: ``expected``, the five standings, and ``rate`` (a fraction or None)."""
    ((_, counts),) = await weekly_counts(tx, area, now, weeks=1)
    return {
        "expected": counts.expected,
        **{standing: getattr(counts, standing) for standing in STANDINGS},
        "rate": counts.contact_rate,
    }


async def weekly_counts(
    tx: Tx, area: AreaInfo, now: datetime, weeks: int = 12
) -> list[tuple[Period, Counts]]:
    """The last weeks, oldest first, this one last, each counted as :func:`compute_register`."""
    periods = weeks_back(now, area.timezone, weeks)
    found = standings(area, periods, now, silence=False).c
    rows = await tx.execute(
        select(found.n, found.standing, func.count().label("number"))
        .where(found.excluded.is_(None))
        .group_by(found.n, found.standing)
    )
    counted: list[dict[str, int]] = [{} for _ in periods]
    for row in rows:
        counted[row.n][row.standing] = row.number
    return [(period, Counts(**counts)) for period, counts in zip(periods, counted, strict=True)]


async def register_version(tx: Tx, area: AreaInfo) -> str:
    """A text that changes when someone under the area is heard from, tried, joins or leaves.

    Made to be asked every second. The newest contact is one look into an index for each area;
    the number of contacts in the ten minutes before it tells those of one instant apart, and
    those whose transactions ended in another order.
    """
    newest = await tx.scalar(_NEWEST, {"path": area.path})
    recent = 0
    if newest is not None:
        recent = await tx.scalar(_RECENT, {"path": area.path, "since": newest - _RECENTLY})
    enrolled = await tx.scalar(_ENROLLED, {"path": area.path})
    return f"{newest.timestamp() if newest else 0:.6f}-{recent}-{enrolled}"


_RECENTLY: Final = timedelta(minutes=10)
_BELOW: Final = in_subtree(Area.path, bindparam("path", type_=Text))
_NEWEST: Final = select(
    func.max(
        select(func.max(Contact.at)).where(Contact.area_id == Area.id).scalar_subquery(),
        type_=UtcDateTime(),
    )
).where(_BELOW)
_RECENT: Final = (
    select(func.count())
    .select_from(Contact)
    .join(Area, Area.id == Contact.area_id)
    .where(_BELOW, Contact.at >= bindparam("since", type_=UtcDateTime()))
)
_ENROLLED: Final = (
    select(func.count())
    .select_from(Enrolment)
    .join(Area, Area.id == Enrolment.area_id)
    .where(_BELOW, Enrolment.until.is_(None))
)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
