"""The fire drill's short form: what it promises, not how fast. `make drill` runs the long one."""

import secrets
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.drill import kills, refused, tickers
from tests.drill.databases import Postgres
from tests.drill.ground import Plan
from tests.drill.promise import Promise, as_lines, at_least, at_most, none_of, told


@pytest.fixture
def plan(database_url: str, tmp_path: Path) -> Plan:
    """A short form on each engine, by a seed that is shown where it fails."""
    url = make_url(database_url)
    engine = url.get_backend_name()
    seed = secrets.randbelow(2**32)
    print("seed", seed)  # noqa: T201  # shown where the test fails
    server = None if engine == "sqlite" else Postgres(url)
    return Plan(engine, seed, short=True, server=server, folder=tmp_path / "drill")


async def test_killed_while_everything_goes_out(plan: Plan) -> None:
    check(await kills.run(plan))


async def test_connections_refused_and_cut(plan: Plan) -> None:
    check(await refused.run(plan))


async def test_killed_while_rules_come_due(plan: Plan) -> None:
    check(await tickers.run(plan))


def test_what_was_broken_is_shown() -> None:
    lines = as_lines([none_of("a", []), none_of("b", ["x"]), at_most("c", 3, 2), told("d", 1.5)])
    assert [line.split()[-1] for line in lines] == ["held", "BROKEN", "BROKEN", "1.5"]
    assert at_least("e", 2, 2).held


def check(promises: list[Promise]) -> None:
    assert all(it.held is not False for it in promises), "\n".join(as_lines(promises))
