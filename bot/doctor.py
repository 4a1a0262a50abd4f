"""What keeps an installation from working, found before people find it."""

import contextlib
import shutil
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import aiohttp
from sqlalchemy import text

from bot.opening import KEY_FILE, find_secret_key, sqlite_file
from bot.settings import VAR, Settings
from storage.database import Database
from storage.errors import Refused
from storage.installation import check_key
from storage.migrate import check_version, find_version
from storage.outbox.backlog import CLASSES, count_stranded, lanes_known, oldest_due, queue_heads
from storage.vault import Vault

_TIMEOUT = aiohttp.ClientTimeout(total=5)
_GIB = 1024**3
_PATIENCE: Final = {"urgent": 5, "checkin": 30, "reminder": 60}
"""Minutes that a message may be overdue; a notice to a million people takes its time."""
_STANDS_STILL_AFTER: Final = 600.0
# Times of check-ins and invites go wrong by as much as the clock does.
_CLOCK_OFF_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``mend`` says what to do unless ``state`` is ``ok``."""

    name: str
    state: Literal["ok", "warning", "broken"]
    says: str
    mend: str | None = None


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; never raises for what it finds. Changes nothing."""
    from bot.explain import explain

    findings = [Finding("settings", "ok", "all known and usable")]
    try:
        findings += await _check_database(settings)
    except Exception as problem:  # noqa: BLE001  # whatever is wrong is the finding
        findings.append(Finding("database", "broken", explain(problem), "see KINROOM_DATABASE_URL"))
    findings.append(_check_key_file(settings))
    findings += await _check_telegram(settings)
    findings.append(_check_disk(settings))
    findings.append(await _check_port(settings))
    findings.append(_check_public_url(settings))
    return findings


async def _check_database(settings: Settings) -> list[Finding]:
    file = sqlite_file(settings)
    if file is not None and not _exists(file):
        return [
            Finding("database", "warning", f"there is none at {file} yet", "run `kinroom migrate`")
        ]
    key = find_secret_key(settings)
    db = Database(settings.database_url, Vault(key or ""), pool_size=2)
    try:
        async with db.read() as tx:
            standing, version = await check_version(tx), await find_version(tx)
        if standing != "current":
            at = "is empty" if version is None else f"is of version {version}"
            return [Finding("database", "broken", f"it {at}", "run `kinroom migrate`")]
        findings = [await _check_write(db, version), await _check_clock(db)]
        try:
            async with db.read() as tx:
                known = await check_key(tx)
            says = "it is the database's" if known else "the database has none yet"
            findings.append(Finding("secret key", "ok", says))
        except Refused as refused:
            mend = "put the old key back from a backup"
            findings.append(Finding("secret key", "broken", str(refused), mend))
        findings += await _check_outbox(db, datetime.now(UTC))
    finally:
        await db.close()
    return findings


class _Undo(Exception):
    """Ends a transaction that was only tried."""


async def _check_write(db: Database, version: str | None) -> Finding:
    with contextlib.suppress(_Undo):
        async with db.write() as tx:
            await tx.execute(
                text("INSERT INTO installation (key, value) VALUES ('doctor', 'was here')")
            )
            raise _Undo
    return Finding("database", "ok", f"{db.url.get_backend_name()}, version {version}, writable")


async def _check_outbox(db: Database, now: datetime) -> list[Finding]:
    """What waits for longer than it should, and where nothing leaves."""
    async with db.read() as tx:
        heads = await queue_heads(tx)
        lanes = await lanes_known(tx, now)
        stranded = await count_stranded(tx)
    found: list[Finding] = []

    def warn(says: str, mend: str) -> None:
        found.append(Finding("outbox", "warning", says, mend))

    for priority, name in CLASSES.items():
        age = oldest_due([head for head in heads if head.priority == priority], now)
        if name in _PATIENCE and age is not None and age > 60 * _PATIENCE[name]:
            warn(
                f"messages of class {name} are overdue by up to {age / 60:.0f} minutes",
                "see whether the service runs, and `kinroom outbox` for what they wait for",
            )
    for lane in lanes:
        age = lane["oldest_due_seconds"]
        if age is not None and age > _STANDS_STILL_AFTER and not lane["left"]["minute"]:
            until = f", which the channel holds until {lane['held_until']}"
            warn(
                f"nothing leaves through {lane['channel'] or 'bot'} {lane['bot']}"
                + (until if lane["held_until"] else ""),
                "see whether a service runs with its token, and what its log says of it",
            )
    if stranded:
        warn(
            f"{stranded} messages wait for a channel that no service runs",
            "start one with its token; or let these people join on another channel",
        )
    return found or [Finding("outbox", "ok", "nothing waits for longer than it should")]


async def _check_clock(db: Database) -> Finding:
    if db.on_sqlite:
        return Finding("clock", "ok", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    async with db.read() as tx:
        there = await tx.scalar(text("SELECT clock_timestamp()"))
    return _judge_clock("clock", there, "the database's")


def _judge_clock(name: str, there: datetime, whose: str) -> Finding:
    off = (datetime.now(UTC) - there).total_seconds()
    if abs(off) > _CLOCK_OFF_SECONDS:
        ahead = "ahead of" if off > 0 else "behind"
        return Finding(
            name, "broken", f"{abs(off):.0f} s {ahead} {whose}", "let NTP set both machines' clocks"
        )
    return Finding(name, "ok", f"agrees with {whose}")


def _check_key_file(settings: Settings) -> Finding:
    if settings.secret_key is not None:
        return Finding("key file", "ok", "KINROOM_SECRET_KEY is used")
    if not KEY_FILE.exists():
        return Finding("key file", "ok", f"{KEY_FILE} will be made on the first run")
    if KEY_FILE.stat().st_mode & 0o077:
        return Finding("key file", "broken", "others can read it", f"chmod 600 {KEY_FILE}")
    return Finding("key file", "ok", f"{KEY_FILE}, readable by its owner only")


async def _check_telegram(settings: Settings) -> list[Finding]:
    if settings.telegram_token is None:
        return [Finding("telegram", "ok", "not used: no token is set")]
    url = f"{settings.telegram_api}/bot{settings.telegram_token.get_secret_value()}/getMe"
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session,
            session.get(url) as response,
        ):
            said = await response.json(content_type=None)
            date = response.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as problem:
        # The error's own words may quote the address, and with it the token.
        return [
            Finding(
                "telegram",
                "broken",
                f"{urlsplit(settings.telegram_api).netloc} does not answer"
                f" ({type(problem).__name__})",
                "check the network, the proxy, and KINROOM_TELEGRAM_API",
            )
        ]
    if not isinstance(said, dict) or not said.get("ok"):
        why = said.get("description", "") if isinstance(said, dict) else ""
        return [
            Finding(
                "telegram",
                "broken",
                f"it refuses the token ({str(why)[:80]})",
                "get the token from BotFather again: KINROOM_TELEGRAM_TOKEN",
            )
        ]
    findings = [Finding("telegram", "ok", f"@{said['result'].get('username', '?')} answers")]
    if date:
        with contextlib.suppress(ValueError):
            there = parsedate_to_datetime(date)
            findings.append(_judge_clock("clock and telegram", there, "Telegram's"))
    return findings


def _check_disk(settings: Settings) -> Finding:
    file = sqlite_file(settings)
    folder = (file.parent if file else VAR).absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / _GIB
    says = f"{free:.1f} GiB free at {folder}"
    if free < 0.1:
        return Finding("disk", "broken", says, "free some space")
    if free < 1:
        return Finding("disk", "warning", says, "free some space soon")
    return Finding("disk", "ok", says)


async def _check_port(settings: Settings) -> Finding:
    where = f"{settings.http_host}:{settings.http_port}"
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.http_host, settings.http_port))
        except OSError as problem:
            if await _is_kinroom(settings):
                return Finding("port", "ok", f"Kinroom is running at {where}")
            return Finding(
                "port",
                "broken",
                f"{where} cannot be listened on ({problem.strerror})",
                "stop the other program, or set KINROOM_HTTP_PORT",
            )
    return Finding("port", "ok", f"{where} is free")


async def _is_kinroom(settings: Settings) -> bool:
    host = "127.0.0.1" if settings.http_host == "0.0.0.0" else settings.http_host  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    url = f"http://{host}:{settings.http_port}/metrics"
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(url) as response,
        ):
            return "kinroom_" in await response.text()
    return False


def _check_public_url(settings: Settings) -> Finding:
    secure = settings.public_url.startswith("https://")
    if settings.telegram_webhook and not secure and "api.telegram.org" in settings.telegram_api:
        return Finding(
            "public url",
            "broken",
            f"{settings.public_url} is not https, and Telegram calls nothing else",
            "set KINROOM_PUBLIC_URL to an https:// address, or KINROOM_TELEGRAM_WEBHOOK=0",
        )
    host = urlsplit(settings.public_url).hostname or ""
    if host in {"localhost", "127.0.0.1", "::1"}:
        return Finding(
            "public url",
            "warning",
            f"links point at {settings.public_url}: they open on this machine only",
            "set KINROOM_PUBLIC_URL before inviting people",
        )
    if not secure:
        return Finding(
            "public url",
            "warning",
            f"{settings.public_url} is not https: what people write can be read on the way",
            "put a TLS proxy before the service, and set KINROOM_PUBLIC_URL",
        )
    return Finding("public url", "ok", settings.public_url)


def _exists(file: Path) -> bool:
    return file.exists()
