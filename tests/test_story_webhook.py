"""The same by webhook: behind its secret, and honest about a database that is away."""

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from storage.models import Contact, Intake
from tests.botapi import PrivateConversation
from tests.town import Town, open_town, tap, write

SECRET = "a-secret-for-the-webhook"


@pytest.fixture
async def town(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    """A town that Telegram posts to."""
    monkeypatch.chdir(tmp_path)
    settings: dict[str, Any] = {
        "telegram_webhook": True,
        "telegram_webhook_secret": SecretStr(SECRET),
    }
    async with open_town(database_url, **settings) as opened:
        await opened.village()
        await opened.api.wait_until(lambda: opened.account.webhook, 20.0)
        yield opened


async def test_the_story_by_webhook(town: Town) -> None:
    assert town.account.webhook is not None
    assert town.account.webhook.secret == SECRET
    liaison = await town.officer("老韦")
    phone = town.phone("Fang")
    await phone.start(await town.invite("V"))
    (asked,) = await phone.heard()
    await tap(phone, asked, "en:lang:zh")
    await tap(phone, asked, "en:agree")
    await phone.heard()
    await write(phone, "小芳")
    await write(phone, "东莞")
    assert await town.rollcall("都平安吗？") == 1
    (question,) = await phone.heard()
    await tap(phone, question, "ci:")
    await write(phone, "工钱没发")
    (case,) = await liaison.heard()
    await liaison.reply(case, "我来问")
    (answer,) = await phone.heard()
    assert "我来问" in answer.text
    assert not town.api.log.of("getUpdates")
    await town.settled()


async def test_only_with_the_secret(town: Town) -> None:
    phone = await town.worker("小芳")
    update = _update(phone, 77)
    for secret, body, status in (
        (None, update, 401),
        ("wrong", update, 401),
        (SECRET + "x", update, 401),
        ("Ünïcode", update, 401),
        (SECRET, b"no JSON", 400),
        (SECRET, b"[]", 400),
        (SECRET, b'{"update_id": "x"}', 400),
        (SECRET, b'{"update_id": 78, "a_kind_of_next_year": {}}', 200),
        (SECRET, b'{"update_id": 79, "message": {"message_id": "x"}}', 200),
        (SECRET, update, 200),
        (SECRET, update, 200),  # sent again: it had its effect
    ):
        assert await _post(town, body, secret) == status, (secret, body)
    await phone.heard()
    assert await town.count(Contact) == 1
    assert await town.count(Intake) == 1


async def test_a_database_that_is_away(town: Town, database_url: str) -> None:
    """Telegram is told to come again; then the update has its effect, once."""
    phone = await town.worker("小芳")
    await write(phone, "平安")
    async with database_away(town, database_url):
        assert await _post(town, _update(phone, 77), SECRET) == 503
        await phone.write("平安")
        await town.api.wait_until(lambda: town.account.webhook.attempts >= 3, 20.0)  # type: ignore[union-attr]
        assert town.account.webhook is not None
        assert "503" in town.account.webhook.json()["last_error_message"]
    await town.settled()
    await phone.heard()
    assert await _post(town, _update(phone, 77), SECRET) == 200
    assert await _post(town, _update(phone, 77), SECRET) == 200
    await phone.heard()
    assert await town.count(Contact) == 3
    # Everything else has come back, too.
    assert await town.rollcall("都平安吗？") == 1
    (question,) = await phone.heard()
    await tap(phone, question, "ci:")


@contextlib.asynccontextmanager
async def database_away(town: Town, database_url: str) -> AsyncIterator[None]:
    """Nothing can be written: another program holds the file, or the server lets nobody in."""
    url = make_url(database_url)
    if town.db.on_sqlite:
        # Ten seconds of patience are for real life.
        async with town.db.write() as tx:
            await tx.execute(text("PRAGMA busy_timeout = 20"))
        with contextlib.closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    admin = url.set(database="postgres", drivername="postgresql")
    await _run_sql(admin, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false')
    await _run_sql(
        admin,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'",
    )
    yield
    await _run_sql(admin, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true')


async def _run_sql(server: URL, statement: str) -> None:
    connection = await asyncpg.connect(server.render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _update(phone: PrivateConversation, update_id: int) -> bytes:
    message = {
        "message_id": update_id,
        "date": phone.chat.server.unix_time(),
        "chat": phone.chat.json(),
        "from": phone.user.json(),
        "text": "平安",
    }
    return json.dumps({"update_id": update_id, "message": message}).encode()


async def _post(town: Town, body: bytes, secret: str | None) -> int:
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    address = f"{town.settings.public_url}/telegram/webhook"
    async with (
        aiohttp.ClientSession() as telegram,
        telegram.post(address, data=body, headers=headers) as answer,
    ):
        return answer.status
