"""What the running program tells about itself: logs without secrets, and figures."""

import contextlib
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.metrics import Metrics
from bot.tracebacks import format_traceback
from storage.database import Database
from storage.errors import Refused
from storage.migrate import check_version

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
            await metrics.backlog.count(db, clock())
        return web.Response(
            body=metrics.exposition(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", figures),
    ]
