"""Logs tell what happened and no secret; the probes tell the truth."""

import io
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.telemetry import Metrics, configure_logging, telemetry_routes
from scheduler.delivery import Delivery
from scheduler.letters import Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Area
from storage.outbox import enqueue
from tests.outbox_people import make_area, make_person

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    configure_logging("json", ["the-secret-key"], stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def _line(log: io.StringIO) -> dict[str, object]:
    (line,) = log.getvalue().splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_secrets_do_not_reach_the_log(log: io.StringIO) -> None:
    structlog.get_logger("bot").warning(
        "asked", url=f"https://api.telegram.org/bot{TOKEN}/getMe", why=["the-secret-key"]
    )
    assert "AAbb" not in log.getvalue()
    assert "the-secret-key" not in log.getvalue()
    assert _line(log)["url"] == "https://api.telegram.org/bot[hidden]/getMe"


@pytest.mark.parametrize("told", ["structlog", "logging", "asyncio"])
async def test_nor_does_a_name_that_a_database_quotes(
    log: io.StringIO, db: Database, now: datetime, told: str
) -> None:
    name = "Xiaofang"
    await make_area(db, now, name)
    again = insert(Area).values(
        code=name, name=name, path="/", timezone="UTC", language="zh", created_at=now
    )
    try:
        async with db.write() as tx:
            await tx.execute(again)
    except IntegrityError as problem:
        if told == "structlog":
            structlog.get_logger("bot").error("failed", exc_info=problem)
        elif told == "logging":
            logging.getLogger("aiohttp").exception("failed")
        else:
            logging.getLogger("asyncio").error("exception=%r", problem)  # noqa: TRY400
    assert "Xiaofang" not in log.getvalue()
    assert "IntegrityError" in log.getvalue()


async def test_nor_a_value_that_a_driver_cannot_take(
    log: io.StringIO, postgres_db: Database
) -> None:
    name = "Xiaofang"
    for told in (False, True):
        try:
            async with postgres_db.read() as tx:
                await tx.execute(text("SELECT CAST(:n AS integer)"), {"n": name})
        except DBAPIError as problem:
            structlog.get_logger("bot").error("failed", why=repr(problem), exc_info=told)
    assert len(log.getvalue().splitlines()) == 2
    assert "Xiaofang" not in log.getvalue()


def test_nor_those_of_other_libraries_and_tracebacks(log: io.StringIO) -> None:
    try:
        int(TOKEN)
    except ValueError:
        logging.getLogger("aiogram").exception("failed for %s", TOKEN)
    line = _line(log)
    assert "AAbb" not in log.getvalue()
    assert line["level"] == "error"
    assert "with base 10: '[hidden]'" in str(line["exception"])


def test_objects_are_searched_too(log: io.StringIO) -> None:
    structlog.get_logger("bot").info("x", inner={"a": (TOKEN,)}, problem=OSError(TOKEN))
    assert "AAbb" not in log.getvalue()


async def _get(db: Database, path: str, metrics: Metrics | None = None) -> tuple[int, str]:
    app = web.Application()
    app.add_routes(telemetry_routes(db, metrics or Metrics(), lambda: datetime.now(UTC)))
    async with TestClient(TestServer(app)) as client:
        response = await client.get(path)
        return response.status, await response.text()


async def test_ready_when_the_database_is_current(db: Database) -> None:
    assert (await _get(db, "/readyz"))[0] == 200
    assert (await _get(db, "/healthz"))[0] == 200


async def test_not_ready_with_a_newer_database(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert await _get(db, "/readyz") == (503, '{"status": "newer database"}')
    assert (await _get(db, "/healthz"))[0] == 200


async def test_metrics_count_what_waits_and_what_became_of_it(
    sqlite_db: Database, now: datetime
) -> None:
    area = await make_area(sqlite_db, now)
    async with sqlite_db.write() as tx:
        person = await make_person(tx, now, area=area, chat_id=7)
        for number in range(3):
            await enqueue(
                tx,
                person_id=person,
                template="broadcast",
                priority=3,
                dedupe_key=f"key {number}",
                now=now,
                expires_at=datetime.now(UTC) + timedelta(days=3),
            )

    async def never(_tx: Tx, _batch: Sequence[Ready], /) -> dict[int, Letter | Withheld]:
        raise AssertionError("nothing is sent here")

    metrics = Metrics()
    delivery = Delivery(sqlite_db, {}, {}, never)
    delivery.counts["broadcast", "sent"] = 2
    metrics.watch(delivery)
    status, body = await _get(sqlite_db, "/metrics", metrics)
    assert status == 200
    assert 'kinroom_deliveries_total{result="sent",template="broadcast"} 2.0' in body
    assert 'kinroom_outbox_rows{state="queued"} 3.0' in body
    assert "kinroom_outbox_oldest_due_seconds " in body
