"""The register's SQL against its definition, on generated worlds, on both databases."""

import math
from datetime import timedelta

from hypothesis import HealthCheck, event, given, settings

from storage.database import Database
from storage.register.figures import (
    Register,
    compute_register,
    live_figures,
    named_register,
    weekly_counts,
)
from storage.register.grid import standing_grid
from storage.register.names_behind import named_checkins
from storage.register.periods import weeks_back
from tests.register_oracle import Oracle
from tests.register_world import PATHS, World
from tests.register_worlds import worlds

# One database serves all examples: each is rolled back with the reading transaction it was
# written in.
_ONE_DATABASE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=150, deadline=None, suppress_health_check=_ONE_DATABASE)
@given(world=worlds())
async def test_register_is_its_definition_on_sqlite(sqlite_db: Database, world: World) -> None:
    await _compare(sqlite_db, world)


@settings(max_examples=30, deadline=None, suppress_health_check=_ONE_DATABASE)
@given(world=worlds())
async def test_register_is_its_definition_on_postgresql(
    postgres_db: Database, world: World
) -> None:
    await _compare(postgres_db, world)


async def _compare(db: Database, world: World) -> None:
    oracle = Oracle(world, world.period)
    async with db.read() as tx:
        await world.store(tx)
        registers: dict[int, Register] = {}
        for area_id in PATHS:
            area = world.area(area_id)
            register = await compute_register(tx, area, world.period, world.now)
            registers[area_id] = register
            assert register.as_json() == oracle.as_json(area_id)
            _check_answer_times(register, oracle.answer_times(area_id))
            _check_sums(register, len(oracle.workers(area_id)), oracle.leavers(area_id))
            names = await named_register(tx, area, world.period, world.now)
            assert {(name.person_id, name.standing, name.silence) for name in names} == {
                (person_id, *oracle.cell(person_id, area_id)[:2])
                for person_id in oracle.workers(area_id)
                if oracle.excluded(person_id) is None
            }
            asked = await named_checkins(tx, area, world.period, world.now)
            assert sorted(
                (one.person_id, one.delivered_at, one.in_time) for one in asked
            ) == sorted(
                (row["person_id"], row["delivered_at"], oracle.answer_time(row) is not None)
                for row in oracle.slots(area_id)
            )
        event(f"expected {registers[1].expected}")
        _check_pooled(registers[2], [registers[3], registers[4]])
        _check_pooled(registers[1], [registers[2], registers[5]])


def _check_answer_times(register: Register, times: list[timedelta]) -> None:
    feedback = register.feedback
    if not times:
        assert feedback.median is None
        assert feedback.ninetieth is None
        return
    for measured, share in ((feedback.median, 0.5), (feedback.ninetieth, 0.9)):
        nearest = times[math.ceil(share * len(times)) - 1]
        assert measured is not None
        assert abs(measured - nearest) <= timedelta(seconds=1)


def _check_sums(register: Register, workers: int, leavers: int) -> None:
    assert sum(register.silence.values()) == register.counts.silent
    present = register.expected + sum(register.excluded.values()) - leavers
    assert present == workers


def _check_pooled(whole: Register, parts: list[Register]) -> None:
    """A larger area is the sum of its parts, so its rates are sums over sums."""
    for standing in ("heard", "vouched", "reached", "tried", "silent"):
        assert getattr(whole.counts, standing) == sum(getattr(p.counts, standing) for p in parts)
    for reason, number in whole.excluded.items():
        assert number == sum(part.excluded[reason] for part in parts)
    assert whole.feedback.delivered == sum(part.feedback.delivered for part in parts)
    assert whole.feedback.answered == sum(part.feedback.answered for part in parts)


@settings(max_examples=60, deadline=None, suppress_health_check=_ONE_DATABASE)
@given(world=worlds())
async def test_grid_and_weeks_agree_with_the_register_on_sqlite(
    sqlite_db: Database, world: World
) -> None:
    await _compare_weeks(sqlite_db, world)


@settings(max_examples=12, deadline=None, suppress_health_check=_ONE_DATABASE)
@given(world=worlds())
async def test_grid_and_weeks_agree_with_the_register_on_postgresql(
    postgres_db: Database, world: World
) -> None:
    await _compare_weeks(postgres_db, world)


async def _compare_weeks(db: Database, world: World) -> None:
    area = world.area(2)
    weeks = weeks_back(world.now, world.zone, 6)
    async with db.read() as tx:
        await world.store(tx)
        grid = await standing_grid(tx, area, world.now, weeks=6)
        counts = await weekly_counts(tx, area, world.now, weeks=6)
        live = await live_figures(tx, area, world.now)
        registers = [await compute_register(tx, area, week, world.now) for week in weeks]
        halves = [
            row
            for offset in (0, 2, 4)
            for row in (await standing_grid(tx, area, world.now, 6, limit=2, offset=offset)).rows
        ]
    assert grid.periods == weeks
    assert [week for week, _ in counts] == weeks
    assert [count for _, count in counts] == [register.counts for register in registers]
    assert live["expected"] == registers[-1].expected
    assert live["rate"] == registers[-1].contact_rate
    oracles = [Oracle(world, week) for week in weeks]
    assert sorted(row.person_id for row in grid.rows) == oracles[-1].workers(2)
    for row in grid.rows:
        cells = [(cell.standing, cell.silence, cell.excluded) for cell in row.cells]
        assert cells == [oracle.cell(row.person_id, 2) for oracle in oracles]
    assert sorted(row.person_id for row in halves) == oracles[-1].workers(2)
    by_person = {row.person_id: row for row in grid.rows}
    assert all(row == by_person[row.person_id] for row in halves)
