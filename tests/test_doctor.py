"""The doctor finds what is wrong, says what to mend, and changes nothing."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from storage.outbox.messages import BROADCAST, CHECKIN, URGENT, enqueue, note_stranded
from storage.vault import Vault
from tests.command import Command, Done
from tests.outbox_people import LANE, WEB, make_person

TOKEN = "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr"


def _findings(done: Done) -> dict[str, Any]:
    assert done.err == ""
    report = json.loads(done.out)
    assert report["ok"] == (done.code == 0)
    return {check["name"]: check for check in report["checks"]}


class _Telegram(BaseHTTPRequestHandler):
    """Says yes to one token; ``date`` is what its clock shows."""

    date = ""

    def do_GET(self) -> None:
        good = self.path == f"/bot{TOKEN}/getMe"
        body = (
            b'{"ok": true, "result": {"id": 1, "username": "kin_bot"}}'
            if good
            else b'{"ok": false, "error_code": 401, "description": "Unauthorized"}'
        )
        self.send_response_only(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Date", self.date or self.date_time_string())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quietly."""


@pytest.fixture
def telegram(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), _Telegram)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("KINROOM_TELEGRAM_API", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", TOKEN)
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def _port(no_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("KINROOM_HTTP_PORT", str(probe.getsockname()[1]))


def test_a_healthy_installation(installed: Command) -> None:
    installed("area", "add", "x", "X")
    done = installed("doctor", "--json")
    found = _findings(done)
    assert done.code == 0
    assert "writable" in found["database"]["says"]
    assert found["secret key"]["state"] == "ok"
    assert found["clock"]["state"] == "ok"
    assert found["outbox"]["state"] == "ok"
    assert "public url" in installed("doctor").out


def test_an_outbox_that_stands_still(installed: Command, database_url: str, vault: Vault) -> None:
    now = datetime.now(UTC)

    async def wait() -> None:
        db = Database(database_url, vault)
        try:
            async with db.write() as tx:
                person = await make_person(tx, now)
                for minutes, priority in ((20, URGENT), (20, CHECKIN), (90, BROADCAST)):
                    await enqueue(
                        tx,
                        person_id=person,
                        template="welcome_back",
                        priority=priority,
                        dedupe_key=f"key {priority}",
                        now=now - timedelta(minutes=minutes),
                        expires_at=now + timedelta(hours=1),
                    )
            async with db.write() as tx:
                await note_stranded(tx, now, [WEB])
        finally:
            await db.close()

    asyncio.run(wait())
    done = installed("doctor", "--json")
    assert done.code == 0
    says = [it["says"] for it in json.loads(done.out)["checks"] if it["name"] == "outbox"]
    assert says == [
        "messages of class urgent are overdue by up to 20 minutes",
        f"nothing leaves through telegram {LANE}",
        "3 messages wait for a channel that no service runs",
    ]
    box = installed("outbox", "--json").json
    assert box["states"]["queued"] == 3
    assert box["classes"]["urgent"]["queued"] == 1
    assert 5400 <= box["classes"]["broadcast"]["oldest_due_seconds"] < 5500
    assert box["oldest_due_seconds"] == box["classes"]["broadcast"]["oldest_due_seconds"]
    assert box["reasons"] == {"queued": {"waits for its channel": 3}}
    (lane,) = box["lanes"]
    assert (lane["bot"], lane["channel"], lane["allowed"]) == (LANE, "telegram", 30.0)
    assert (lane["left_last_minute"], lane["held_until"]) == (0, None)
    told = installed("outbox").out
    assert "waits for its channel" in told
    assert "20 minutes ago" in told


def test_before_the_first_run(kinroom: Command) -> None:
    done = kinroom("doctor", "--json")
    assert done.code == 0
    assert _findings(done)["database"]["mend"] == "run `kinroom migrate`"
    assert list(Path.cwd().iterdir()) == []


def test_another_key(installed: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("area", "add", "x", "X")
    monkeypatch.setenv("KINROOM_SECRET_KEY", "another " * 5)
    done = installed("doctor", "--json")
    assert done.code == 1
    assert _findings(done)["secret key"]["state"] == "broken"


def test_a_key_others_can_read(kinroom: Command) -> None:
    kinroom("migrate")
    Path("var/secret_key").chmod(0o644)
    found = _findings(kinroom("doctor", "--json"))
    assert found["key file"]["mend"] == "chmod 600 var/secret_key"


def test_an_unreachable_database(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/x")
    done = kinroom("doctor", "--json")
    assert done.code == 1
    assert "cannot be reached" in _findings(done)["database"]["says"]
    assert "hunter2" not in done.out


@pytest.mark.usefixtures("telegram")
def test_telegram_answers(kinroom: Command) -> None:
    found = _findings(kinroom("doctor", "--json"))
    assert found["telegram"]["says"] == "@kin_bot answers"
    assert found["clock and telegram"]["state"] == "ok"


@pytest.mark.usefixtures("telegram")
def test_a_clock_that_is_off(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Telegram, "date", "Wed, 21 Oct 2015 07:28:00 GMT")
    done = kinroom("doctor", "--json")
    assert done.code == 1
    assert "ahead of Telegram's" in _findings(done)["clock and telegram"]["says"]


@pytest.mark.usefixtures("telegram")
def test_a_token_that_is_refused(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", TOKEN[:-1])
    done = kinroom("doctor", "--json")
    assert done.code == 1
    assert "BotFather" in _findings(done)["telegram"]["mend"]
    assert "AAbb" not in done.out


def test_telegram_out_of_reach(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_API", "http://127.0.0.1:1")
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", TOKEN)
    done = kinroom("doctor", "--json")
    assert done.code == 1
    assert "does not answer" in _findings(done)["telegram"]["says"]
    assert "AAbb" not in done.out


def test_a_port_in_use(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr("bot.doctor._TIMEOUT", _short())
        monkeypatch.setenv("KINROOM_HTTP_PORT", str(taken.getsockname()[1]))
        found = _findings(kinroom("doctor", "--json"))
    assert found["port"]["mend"] == "stop the other program, or set KINROOM_HTTP_PORT"


def _short() -> Any:
    import aiohttp

    return aiohttp.ClientTimeout(total=0.1)


def test_a_webhook_needs_https(kinroom: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_WEBHOOK", "1")
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setattr("bot.doctor._check_telegram", _no_telegram)
    found = _findings(kinroom("doctor", "--json"))
    assert found["public url"]["state"] == "broken"
    monkeypatch.setenv("KINROOM_PUBLIC_URL", "https://room.example")
    assert _findings(kinroom("doctor", "--json"))["public url"]["state"] == "ok"


async def _no_telegram(_settings: object) -> list[object]:
    return []
