"""What the running program tells about itself: logs without secrets, and figures."""

import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from bot.tracebacks import format_traceback
from scheduler.delivery import Delivery
from storage.database import Database
from storage.errors import Refused
from storage.migrate import check_version
from storage.outbox import waiting_states

_TOKEN: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]{30,}")
# Where a database's error quotes values, as far as the end of the line or of what was printed.
_QUOTED: Final = re.compile(r"(DETAIL:|invalid input for query argument \$\d+:)[^\n]*")
_HIDDEN: Final = "[hidden]"


class Redaction:
    """A structlog processor that hides bot tokens, and the secrets given, wherever they stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one secret may be part of another.
        known = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in event.items():
            event[key] = self._hide(value)
        return event

    def hide(self, text: str) -> str:
        text = _QUOTED.sub(rf"\1 {_HIDDEN}", _TOKEN.sub(_HIDDEN, text))
        return self._known.sub(_HIDDEN, text) if self._known else text

    def _hide(self, value: Any) -> Any:
        if isinstance(value, bool | int | float | None):
            return value
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {key: self._hide(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._hide(inner) for inner in value]
        return self.hide(repr(value))


def configure_logging(
    log_format: Literal["text", "json"],
    secrets: Iterable[str] = (),
    *,
    level: int = logging.INFO,
    stream: TextIO | None = None,
) -> None:
    """One line an event on stderr, of structlog and of the standard library alike."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # The traceback becomes text first: what it quotes may hold a token.
            structlog.processors.ExceptionRenderer(format_traceback),
            Redaction(secrets),
            render,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # One line a request tells nothing the metrics do not, and holds people's addresses.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("aiogram.event").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class Metrics:
    """The figures of one process, in its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.updates = Counter(
            "kinroom_updates",
            "Updates taken in, by channel and by how they ended: done, repeated, set_aside.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.replies = Counter(
            "kinroom_replies",
            "Replies in conversations, by channel and outcome: sent, failed, late.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "kinroom_outbox_rows",
            "Messages of the outbox that are not finished, by state.",
            ["state"],
            registry=self.registry,
        )
        self.overdue = Gauge(
            "kinroom_outbox_oldest_due_seconds",
            "How long the longest overdue message has waited.",
            registry=self.registry,
        )

    def watch(self, delivery: Delivery) -> None:
        """Show what becomes of unsolicited messages, and how each bot's lane stands."""
        self.registry.register(_DeliveryFigures(delivery))

    def exposition(self) -> bytes:
        return generate_latest(self.registry)


class _DeliveryFigures(Collector):
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def collect(self) -> Iterator[Metric]:
        attempts = CounterMetricFamily(
            "kinroom_deliveries",
            "Attempts to send unsolicited messages, by template and by what became of them.",
            labels=["template", "result"],
        )
        for (template, result), count in self._delivery.counts.items():
            attempts.add_metric([template, result], count)
        yield attempts
        in_flight = GaugeMetricFamily(
            "kinroom_lane_in_flight", "Messages a bot is sending right now.", labels=["bot"]
        )
        rate = GaugeMetricFamily(
            "kinroom_lane_rate", "Messages a second a bot may send; 0: no limit.", labels=["bot"]
        )
        for bot_id, lane in self._delivery.lanes.items():
            in_flight.add_metric([str(bot_id)], lane.in_flight)
            rate.add_metric([str(bot_id)], lane.rate)
        yield in_flight
        yield rate


async def check_ready(db: Database) -> str | None:
    """Why the service cannot work now, in a word; ``None`` when it can."""
    try:
        async with db.read() as tx:
            standing = await check_version(tx)
    except Refused:
        return "newer database"
    except Exception:  # noqa: BLE001  # whatever it is, we are not ready
        return "database unreachable"
    return None if standing == "current" else "migrations missing"


def telemetry_routes(
    db: Database, metrics: Metrics, clock: Callable[[], datetime]
) -> list[web.RouteDef]:
    """``/healthz`` (alive), ``/readyz`` (database and migrations in order), ``/metrics``."""

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_request: web.Request) -> web.Response:
        problem = await check_ready(db)
        if problem is None:
            return web.json_response({"status": "ok"})
        return web.json_response({"status": problem}, status=503)

    async def figures(_request: web.Request) -> web.Response:
        with contextlib.suppress(SQLAlchemyError, OSError):
            async with db.read() as tx:
                states = await waiting_states(tx, clock())
            metrics.overdue.set(states.pop("oldest_due_seconds"))
            for state, count in states.items():
                metrics.waiting.labels(state).set(count)
        return web.Response(
            body=metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", figures),
    ]
