"""How a chat that writes fast is slowed, and one that floods is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.dispatcher.middlewares.user_context import EVENT_CONTEXT_KEY, EventContext
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, Update, User

from bot.middlewares.throttle import BACKLOG, BURST, SLOWED, Throttle
from bot.middlewares.transaction import Taken
from locales.catalogs import Catalogs
from tests.fake_channel import fake_bot

FANG = User(id=7, is_bot=False, first_name="Fang", language_code="zh-hans")


class Writers:
    """People who write to one bot, by a clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 0.0
        self.pauses: list[float] = []
        self.handled: list[int] = []
        self.bot, _ = fake_bot(1)
        self.throttle = Throttle(Catalogs(), lambda: self.at, self._pause)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _handle(self, event: TelegramObject, _data: dict[str, Any]) -> Taken:
        assert isinstance(event, Update)
        self.handled.append(event.update_id)
        return Taken()

    async def send(self, n: int = 1, *, chat: int = 7, taps: bool = False) -> list[Any]:
        """``n`` updates one after another; all that was said to them."""
        said: list[Any] = []
        where = Chat(id=chat, type="private" if chat > 0 else "supergroup")
        context = EventContext(chat=where, user=FANG)
        for number in range(n):
            message = Message(message_id=1, date=datetime(2026, 1, 1, tzinfo=UTC), chat=where)
            tap = CallbackQuery(id="t", from_user=FANG, chat_instance="7", message=message)
            update = (
                Update(update_id=number, callback_query=tap)
                if taps
                else Update(update_id=number, message=message)
            )
            data = {"bot": self.bot, EVENT_CONTEXT_KEY: context}
            said += (await self.throttle(self._handle, update, data)).says
        return said


@pytest.fixture
def writers() -> Writers:
    return Writers()


async def test_a_backlog_is_slowed_and_all_handled(writers: Writers) -> None:
    assert await writers.send(BURST + BACKLOG) == []
    assert writers.handled == list(range(BURST + BACKLOG))
    assert writers.pauses == [SLOWED] * BACKLOG


async def test_one_batch_of_one_chat_holds_up_the_others_for_ten_seconds(writers: Writers) -> None:
    await writers.send(BURST)
    await writers.send(100)
    assert sum(writers.pauses) == pytest.approx(10)


async def test_the_others_are_not_slowed(writers: Writers) -> None:
    await writers.send(BURST)
    await writers.send(chat=8)
    assert writers.pauses == []


async def test_a_flood_is_refused_and_told_once(writers: Writers) -> None:
    await writers.send(BURST + BACKLOG)
    assert [type(says) for says in await writers.send(50)] == [SendMessage]
    # At one a second there is room for one now and then: no reason to say it again.
    for _ in range(50):
        writers.at += 1
        assert await writers.send(3) == []
    assert len(writers.handled) == BURST + BACKLOG + 50


async def test_it_is_told_again_after_the_bucket_was_full(writers: Writers) -> None:
    await writers.send(BURST + BACKLOG + 1)
    writers.at += BURST + BACKLOG
    assert [type(says) for says in await writers.send(BURST + BACKLOG + 1)] == [SendMessage]


async def test_a_refused_tap_does_not_go_on_waiting(writers: Writers) -> None:
    await writers.send(BURST + BACKLOG)
    said = await writers.send(taps=True)
    assert [type(says) for says in said] == [AnswerCallbackQuery, SendMessage]


async def test_a_group_is_neither_slowed_nor_told(writers: Writers) -> None:
    assert await writers.send(2 * BURST, chat=-100) == []
    assert (len(writers.handled), writers.pauses) == (BURST, [])
