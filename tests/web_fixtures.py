"""What the web chat's tests share: a room, a browser in it, and the usual first steps."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.models import Base
from storage.people.invites import make_invite
from tests.web_browser import Visit, visit
from tests.web_room import WebRoom, open_room

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (7).to_bytes(4) + (5).to_bytes(4) + b"\x08\x06\0\0\0"


@pytest.fixture
async def room(db: Database, tmp_path: Path) -> AsyncIterator[WebRoom]:
    folder = tmp_path / "words"
    folder.mkdir()
    async with open_room(db, folder) as ready:
        yield ready


@pytest.fixture
async def browser(room: WebRoom) -> AsyncIterator[Visit]:
    async with visit(room) as ready:
        yield ready


async def rows(db: Database) -> dict[str, int]:
    """How much every table holds, where it holds anything."""
    async with db.read() as tx:
        counts = {
            name: await tx.scalar(select(func.count()).select_from(table))
            for name, table in Base.metadata.tables.items()
        }
    return {name: count for name, count in counts.items() if count}


async def agree(browser: Visit) -> None:
    """From the invite to the consent."""
    await browser.say("/start wAAAAAAAAAAAAAAAAAAAAA")
    question = (await browser.messages())[-1]
    status, _ = await browser.post(tap={"message_id": question["id"], "data": "agree"})
    assert status == 200


async def invite_device(room: WebRoom, chat_id: int, *, uses: int | None = 1) -> str:
    async with room.db.write() as tx:
        return await make_invite(
            tx, kind="device", person_id=room.person_ids[chat_id], uses=uses, expires_at=None,
            by=None, now=datetime.now(UTC),
        )  # fmt: skip
