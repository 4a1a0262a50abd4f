"""Delivery on clocks moved by hand: messages put into the outbox, and what channels took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiogram.methods import SendMessage
from sqlalchemy import select

from scheduler.delivery import Delivery
from scheduler.letters import Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Delivery as Row
from storage.outbox.messages import enqueue
from tests.fake_channel import FakeSession, Times, fake_bot
from tests.outbox_people import LANE

HOUR = timedelta(hours=1)
METHOD = SendMessage(chat_id=5, text="?")


@dataclass(frozen=True)
class Rate:
    rate: float = 0.0


async def plain(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    """Says the template and the number of the attempt."""
    return {
        ready.message.id: Letter(
            [
                SendMessage(
                    chat_id=ready.message.to.chat_id,
                    text=f"{ready.message.template} {ready.message.attempts}",
                    disable_notification=ready.silent,
                )
            ]
        )
        for ready in batch
        if ready.message.to is not None
    }


class Post:
    """A delivery on clocks moved by hand, and what its channels took."""

    def __init__(
        self,
        db: Database,
        now: datetime,
        rates: Mapping[int, float] | None = None,
        render: Any = plain,
        **more: Any,
    ) -> None:
        self.db = db
        self.times = Times(now)
        self.sessions: dict[int, FakeSession] = {}
        bots = {}
        rates = rates or {LANE: 0.0}
        for bot_id in rates:
            bots[bot_id], self.sessions[bot_id] = fake_bot(bot_id)
        self.delivery = Delivery(
            db,
            bots,
            {bot_id: Rate(rate) for bot_id, rate in rates.items()},
            render,
            clock=self.times.clock,
            seconds=self.times.seconds,
            **more,
        )

    @property
    def channel(self) -> FakeSession:
        return self.sessions[LANE]

    async def round(self, turns: int = 1) -> None:
        """One turn and its sends, recorded."""
        for _ in range(turns):
            await self.delivery.turn()
            await self.delivery.settle()


async def put(tx: Tx, person: int, key: str, now: datetime, **more: Any) -> int:
    values: dict[str, Any] = {
        "template": "case_reply",
        "priority": 0,
        "expires_at": now + 24 * HOUR,
    }
    row = await enqueue(tx, person_id=person, dedupe_key=key, now=now, **{**values, **more})
    assert row is not None
    return row


async def column(db: Database, key: str, what: Any) -> Any:
    async with db.read() as tx:
        return await tx.scalar(select(what).where(Row.dedupe_key == key))
