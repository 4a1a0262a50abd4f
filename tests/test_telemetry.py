"""Logs tell what happened and no secret; the probes tell the truth."""

import io
import json
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.channels.telegram import telegram_abilities
from bot.metrics import Backlog, Metrics
from bot.telemetry import configure_logging, telemetry_routes
from scheduler.clock import Clock
from scheduler.delivery import Delivery
from scheduler.letters import Letter, Ready, Withheld
from scheduler.reasons import WORDS, reason_in_a_word
from storage.database import Database, Tx
from storage.models import Area
from storage.outbox.messages import enqueue
from tests.fake_channel import fake_bot
from tests.outbox_people import LANE, make_area, make_person

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


async def _never(_tx: Tx, _batch: Sequence[Ready], /) -> dict[int, Letter | Withheld]:
    raise AssertionError("nothing is sent here")


def _watching(db: Database) -> tuple[Metrics, Delivery]:
    """Everything that a service shows, of a delivery with one bot that sends nothing."""
    metrics = Metrics()
    bot, _ = fake_bot(LANE)
    delivery = Delivery(db, {LANE: bot}, {LANE: telegram_abilities(30.0)}, _never)
    metrics.watch(delivery)
    ticking = Clock(db, nudge=delivery.nudge, running=delivery.running)
    ticking.last["minute"] = datetime.now(UTC) - timedelta(seconds=30)
    metrics.watch_clock(ticking, lambda: datetime.now(UTC))
    metrics.watch_pool(db)
    return metrics, delivery


async def test_metrics_count_what_waits_and_what_became_of_it(db: Database) -> None:
    now = datetime.now(UTC)
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area, chat_id=7)
        for number, priority in enumerate((3, 3, 1)):
            await enqueue(
                tx,
                person_id=person,
                template="broadcast",
                priority=priority,
                dedupe_key=f"key {number}",
                now=now,
                not_before=now - timedelta(minutes=number),
                expires_at=now + timedelta(days=3),
            )
    metrics, delivery = _watching(db)
    delivery.counts.update(
        {
            ("broadcast", "sent"): 2,
            ("checkin", "again: throttled"): 3,
            ("any", "failed: no account"): 4,
            ("any", "failed"): 1,
        }
    )
    lane = delivery.lanes[LANE]
    lane.stopped = "no"
    status, body = await _get(db, "/metrics", metrics)
    assert status == 200
    for line in (
        'kinroom_deliveries_total{reason="",result="sent",template="broadcast"} 2.0',
        'kinroom_deliveries_total{reason="throttled",result="again",template="checkin"} 3.0',
        'kinroom_deliveries_total{reason="no account",result="failed",template="any"} 4.0',
        'kinroom_deliveries_total{reason="",result="failed",template="any"} 1.0',
        'kinroom_outbox_rows{state="queued"} 3.0',
        'kinroom_outbox_queued{class="broadcast"} 2.0',
        'kinroom_outbox_queued{class="urgent"} 0.0',
        'kinroom_outbox_class_oldest_due_seconds{class="reminder"} 0.0',
        f'kinroom_lane_rate{{bot="{LANE}"}} 30.0',
        f'kinroom_lane_stopped{{bot="{LANE}"}} 1.0',
    ):
        assert line in body.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in body.splitlines() if line[0] != "#")
    assert 120 <= float(figures["kinroom_outbox_oldest_due_seconds"]) < 180
    assert 60 <= float(figures['kinroom_outbox_class_oldest_due_seconds{class="broadcast"}']) < 120
    assert 30 <= float(figures['kinroom_clock_tick_age_seconds{tick="minute"}']) < 60
    assert float(figures["kinroom_database_connections"]) > 0


async def test_a_long_queue_is_counted_more_rarely(sqlite_db: Database, now: datetime) -> None:
    passed = iter((100.0, 100.0, 102.0, 130.0, 141.0, 141.0, 141.1))
    registry = CollectorRegistry()
    backlog = Backlog(registry, seconds=lambda: next(passed))
    asked = sqlite_db.count_statements()

    async def counts() -> bool:
        before = len(asked)
        await backlog.count(sqlite_db, now)
        return len(asked) > before

    assert await counts()  # from 100 to 102: two seconds of forty may go into it
    assert not await counts()  # at 130
    assert await counts()


async def test_metrics_go_on_without_a_database(sqlite_db: Database) -> None:
    async with sqlite_db.write() as tx:
        await tx.execute(text("DROP TABLE lane_pace"))
        await tx.execute(text("ALTER TABLE delivery RENAME TO gone"))
    status, body = await _get(sqlite_db, "/metrics")
    assert status == 200
    assert "kinroom_outbox_counted_seconds_ago NaN" in body


def _documented() -> dict[str, str]:
    """The table's first column, and its last."""
    rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in Path("docs/metrics.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| `kinroom_")
    )
    return {row[0].strip("`"): row[3] for row in rows if len(row) == 4}


async def test_every_figure_is_documented(postgres_db: Database) -> None:
    metrics, _ = _watching(postgres_db)
    shown = {
        family.name + ("_total" if family.type == "counter" else ""): family.documentation
        for family in metrics.registry.collect()
    }
    assert _documented() == shown


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (None, ""),
        ("blocked", "blocked"),
        ("refused: the button's data is too long", "refused"),
        ("its roll call is missing", "missing"),
        ("error: KeyError", "error"),
        ("what nobody has thought of", "other"),
    ],
)
def test_reasons_are_a_few_words(reason: str | None, word: str) -> None:
    assert reason_in_a_word(reason) == word
    assert word in WORDS
