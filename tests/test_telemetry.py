"""Logs tell what happened and no secret; the probes tell the truth."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text

from bot.telemetry import Metrics, configure_logging, telemetry_routes
from storage.database import Database

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
    app.add_routes(telemetry_routes(db, metrics or Metrics()))
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


async def test_metrics_count(sqlite_db: Database) -> None:
    metrics = Metrics()
    metrics.deliveries.labels("sent", "").inc()
    metrics.queue_depth.labels("queued").set(3)
    status, body = await _get(sqlite_db, "/metrics", metrics)
    assert status == 200
    assert 'kinroom_deliveries_total{reason="",state="sent"} 1.0' in body
    assert 'kinroom_outbox_rows{state="queued"} 3.0' in body
