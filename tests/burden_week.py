"""A worker's week of messages: what is written for it, what leaves, and when."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from sqlalchemy import select

from scheduler.joining import JOINT
from scheduler.letters import Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Delivery as Row
from storage.outbox.burden import USED_UP
from storage.outbox.messages import BROADCAST, CHECKIN, REMINDER
from tests.outbox_people import make_area, make_person
from tests.outbox_post import Post, put

PRIORITY = {"checkin": CHECKIN, "nudge": CHECKIN, "reminder": REMINDER, "broadcast": BROADCAST}
BUTTONS = {"checkin": ("fine", "ci:1:ok"), "reminder": ("done", "rm:1:done")}


def letter_of(ready: Ready, joins: int = 4000) -> Letter:
    """Says the template; what asks has a button."""
    message = ready.message
    assert message.to is not None
    markup = None
    if message.template in BUTTONS:
        label, data = BUTTONS[message.template]
        rows = [[InlineKeyboardButton(text=label, callback_data=data)]]
        markup = InlineKeyboardMarkup(inline_keyboard=rows)
    part = SendMessage(chat_id=message.to.chat_id, text=message.template, reply_markup=markup)
    return Letter([part], joins=0 if message.urgent else joins)


async def joinable(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    return {ready.message.id: letter_of(ready) for ready in batch}


async def apart(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    return {ready.message.id: letter_of(ready, joins=0) for ready in batch}


class Week(Post):
    """A delivery to one worker, with what is written for them by template."""

    def __init__(
        self, db: Database, now: datetime, person: int, render: Any = joinable, **more: Any
    ) -> None:
        super().__init__(db, now, render=render, **more)
        self.person = person

    async def write(self, template: str, key: str | None = None, **more: Any) -> str:
        key = key or f"{template}:{self.times.now:%d.%H:%M}"
        values = {"template": template, "priority": PRIORITY[template]}
        values["expires_at"] = self.times.now + timedelta(days=30)
        async with self.db.write() as tx:
            await put(tx, self.person, key, self.times.now, **{**values, **more})
        return key

    async def goes(self, template: str, **more: Any) -> None:
        """Written, and sent at once."""
        before = len(self.channel.taken)
        await self.write(template, **more)
        await self.round()
        assert len(self.channel.taken) == before + 1

    def texts(self) -> list[list[str]]:
        return [text.split(JOINT) for _, text in self.channel.texts()]

    async def row(self, key: str) -> Any:
        async with self.db.read() as tx:
            return (await tx.execute(select(Row.__table__).where(Row.dedupe_key == key))).one()

    async def waits(self, key: str) -> datetime | None:
        """Until when it waits for the budget."""
        row = await self.row(key)
        at: datetime | None = row.not_before
        return at if (row.state, row.reason) == ("queued", USED_UP) else None


@pytest.fixture
async def week(db: Database, now: datetime) -> Week:
    area = await make_area(db, now)
    async with db.write() as tx:
        return Week(db, now, await make_person(tx, now, area=area))
