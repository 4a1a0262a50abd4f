"""What everyone does every day stays cheap: the SQL statements of a report and of a tap."""

from datetime import UTC, datetime

import pytest

from storage.database import Database
from tests.bench.population import Population, populate
from tests.bench.rounds import MOST_STATEMENTS
from tests.bench.updates import checkin_tap, status_report
from tests.bench.ways import Ours, our_way_in


@pytest.fixture
async def population(db: Database) -> Population:
    return await populate(db, datetime.now(UTC), workers=4)


async def said(ours: Ours, raw: dict[str, object], requests: int) -> list[str]:
    """The statements of taking ``raw`` in; ``requests`` is how many replies it is worth."""
    until = ours.session.said + requests
    statements = ours.db.count_statements()
    await ours.take(raw)
    counted = list(statements)
    await ours.session.hear(until)
    return counted


async def test_a_status_report(db: Database, population: Population) -> None:
    async with our_way_in(db) as ours:
        statements = await said(ours, status_report(population.chats[0]), 1)
    assert any(statement.startswith("INSERT INTO contact") for statement in statements)
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)


async def test_a_checkin_tap(db: Database, population: Population) -> None:
    async with our_way_in(db) as ours:
        statements = await said(ours, checkin_tap(*population.unanswered[-1]), 2)
    assert any("UPDATE checkin" in statement for statement in statements)
    assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
