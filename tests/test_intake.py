"""What is left of an update that fails: for who is not known, nothing; and nothing is forgotten."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiogram import Dispatcher
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, EventContext
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendMessage
from aiogram.types import Chat, Message, TelegramObject, Update, User
from sqlalchemy import func, select

from bot.intake import Intake
from bot.metrics import Metrics
from bot.middlewares.transaction import OneTransaction, Taken
from bot.replies import Replies
from locales.catalogs import Catalogs
from storage.database import Database, Tx
from storage.engine.postgres import PostgresTransaction
from storage.models import Dialog
from storage.models import Intake as Journal
from storage.people.enrolment import Address, give_consent
from storage.talk.dialogs import Conversation, DialogStorage
from tests.fake_channel import fake_bot

FANG = User(id=7, is_bot=False, first_name="Fang", language_code="en")
CHAT = Chat(id=7, type="private")


def update(number: int) -> Update:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    message = Message(message_id=number, date=at, chat=CHAT, from_user=FANG, text="?")
    return Update(update_id=number, message=message)


class Broken:
    """A dispatcher none of whose handlers works."""

    async def feed_update(self, *_: Any, **__: Any) -> Taken:
        raise ZeroDivisionError


async def rows(db: Database, model: Any) -> int:
    async with db.read() as tx:
        return int(await tx.scalar(select(func.count()).select_from(model)))


@pytest.mark.parametrize(("known", "written"), [(False, 0), (True, 1)])
async def test_an_update_is_set_aside_in_writing_only_of_who_is_known(
    db: Database, now: datetime, *, known: bool, written: int
) -> None:
    bot, session = fake_bot(1)
    if known:
        async with db.write() as tx:
            await give_consent(tx, Address("telegram", 1, 7), language="en", now=now)
    metrics, channels = Metrics(), {1: "telegram"}
    replies = Replies(db, {1: bot}, metrics, channels, lambda: now)
    broken = cast("Dispatcher", Broken())
    intake = Intake(db, broken, replies, Catalogs(), metrics, channels, lambda: now)
    await intake.take(bot, update(1))
    await replies.stop()
    assert session.texts() == [(7, "Something went wrong on our side. Please try once more.")]
    assert await rows(db, Journal) == written


class Newcomer:
    """Someone who has not consented, and handlers of their updates."""

    def __init__(self, db: Database, now: datetime) -> None:
        self.bot, _ = fake_bot(1)
        self.take = OneTransaction(db, DialogStorage(db), {1: "telegram"}, lambda: now)
        self.found: list[dict[str, Any]] = []

    async def write(
        self, number: int, *, then: Callable[[Tx, Conversation], Any] | None = None, **said: str
    ) -> None:
        async def handle(_event: TelegramObject, data: dict[str, Any]) -> SendMessage:
            state: FSMContext = data["state"]
            self.found.append(await state.get_data())
            await state.update_data(said)
            if then is not None:
                await then(data["tx"], data["conversation"])
            return SendMessage(chat_id=7, text="!")

        context = EventContext(chat=CHAT, user=FANG)
        await self.take(handle, update(number), {"bot": self.bot, EVENT_CONTEXT_KEY: context})


async def fail(_tx: Tx, _conversation: Conversation) -> None:
    raise ZeroDivisionError


async def test_what_a_newcomer_said_outlives_an_update_that_failed(
    db: Database, now: datetime
) -> None:
    newcomer = Newcomer(db, now)
    await newcomer.write(1, language="zh")
    with pytest.raises(ZeroDivisionError):
        await newcomer.write(2, name="Fang", then=fail)
    await newcomer.write(2, name="Fang")
    await newcomer.write(3)
    assert newcomer.found == [
        {},
        {"language": "zh"},
        {"language": "zh"},
        {
            "language": "zh",
            "name": "Fang",
        },
    ]
    assert (await rows(db, Dialog), await rows(db, Journal)) == (0, 0)


async def test_and_a_commit_that_failed(
    postgres_db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_transaction: PostgresTransaction) -> None:
        raise ConnectionError

    newcomer = Newcomer(postgres_db, now)
    await newcomer.write(1, language="zh")
    with monkeypatch.context() as patch:
        patch.setattr(PostgresTransaction, "commit", refuse)
        with pytest.raises(ConnectionError):
            await newcomer.write(2, name="Fang")
    await newcomer.write(2)
    assert newcomer.found[-1] == {"language": "zh"}


async def test_with_consent_it_moves_from_memory_into_the_database(
    db: Database, now: datetime
) -> None:
    async def consent(tx: Tx, conversation: Conversation) -> None:
        await give_consent(tx, Address("telegram", 1, 7), language="en", now=now)
        conversation.known = True

    newcomer = Newcomer(db, now)
    await newcomer.write(1, language="en")
    await newcomer.write(2, name="Fang", then=consent)
    await newcomer.write(3)
    assert newcomer.found[-1] == {"language": "en", "name": "Fang"}
    assert newcomer.take._waiting.find("1:7:7", now) == (None, {})
