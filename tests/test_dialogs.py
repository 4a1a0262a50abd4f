"""aiogram's contract for FSM storages, held by ours on both databases; and what is ours alone."""

from datetime import datetime, timedelta

import pytest
from aiogram.exceptions import DataNotDictLikeError
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.fsm.storage.base import StorageKey
from sqlalchemy import func, select

from storage.database import Database
from storage.models import Dialog
from storage.talk.dialogs import (
    Conversation,
    DialogStorage,
    Waiting,
    current_conversation,
    dialog_key,
)

KEY = StorageKey(bot_id=42, chat_id=5_000_000_001, user_id=5_000_000_001)


class Telling(StatesGroup):
    name = State()


@pytest.fixture
def storage(db: Database) -> DialogStorage:
    return DialogStorage(db)


async def rows(db: Database) -> int:
    async with db.read() as tx:
        return int(await tx.scalar(select(func.count()).select_from(Dialog)))


async def test_state(storage: DialogStorage) -> None:
    assert await storage.get_state(KEY) is None
    await storage.set_state(KEY, "state")
    assert await storage.get_state(KEY) == "state"
    await storage.set_state(KEY, Telling.name)
    assert await storage.get_state(KEY) == Telling.name.state
    await storage.set_state(KEY, None)
    assert await storage.get_state(KEY) is None
    await storage.set_state(KEY)
    assert await storage.get_state(KEY) is None


async def test_data(storage: DialogStorage) -> None:
    assert await storage.get_data(KEY) == {}
    data = {"name": "韦小芳", "tries": 3, "asked": None, "places": ["东莞", {"city": "深圳"}]}
    await storage.set_data(KEY, data)
    assert await storage.get_data(KEY) == data
    await storage.set_data(KEY, {})
    assert await storage.get_data(KEY) == {}
    with pytest.raises(DataNotDictLikeError):
        await storage.set_data(KEY, ["no", "dict"])  # type: ignore[arg-type]


async def test_data_is_a_copy(storage: DialogStorage) -> None:
    given = {"n": 1}
    await storage.set_data(KEY, given)
    given["n"] = 2
    got = await storage.get_data(KEY)
    assert got == {"n": 1}
    got["n"] = 3
    assert await storage.get_data(KEY) == {"n": 1}


async def test_update_data_and_get_value(storage: DialogStorage) -> None:
    assert await storage.update_data(KEY, {"foo": "bar"}) == {"foo": "bar"}
    assert await storage.update_data(KEY, {}) == {"foo": "bar"}
    assert await storage.update_data(KEY, {"baz": "spam"}) == {"foo": "bar", "baz": "spam"}
    assert await storage.update_data(KEY, {"baz": "test"}) == {"foo": "bar", "baz": "test"}
    assert await storage.get_data(KEY) == {"foo": "bar", "baz": "test"}
    assert await storage.get_value(KEY, "foo") == "bar"
    assert await storage.get_value(KEY, "none") is None
    assert await storage.get_value(KEY, "none", "default") == "default"


async def test_state_and_data_do_not_touch_each_other(storage: DialogStorage) -> None:
    await storage.set_state(KEY, "state")
    await storage.set_data(KEY, {"n": 1})
    await storage.set_state(KEY, "other")
    assert await storage.get_data(KEY) == {"n": 1}
    await storage.set_data(KEY, {})
    assert await storage.get_state(KEY) == "other"


@pytest.mark.parametrize(
    "other",
    [
        StorageKey(bot_id=43, chat_id=KEY.chat_id, user_id=KEY.user_id),
        StorageKey(bot_id=42, chat_id=-100, user_id=KEY.user_id),
        StorageKey(bot_id=42, chat_id=KEY.chat_id, user_id=7),
        StorageKey(bot_id=42, chat_id=KEY.chat_id, user_id=KEY.user_id, thread_id=1),
        StorageKey(bot_id=42, chat_id=KEY.chat_id, user_id=KEY.user_id, destiny="other"),
        StorageKey(
            bot_id=42, chat_id=KEY.chat_id, user_id=KEY.user_id, business_connection_id="abc"
        ),
    ],
)
async def test_keys_are_apart(storage: DialogStorage, other: StorageKey) -> None:
    await storage.set_state(KEY, "state")
    await storage.set_data(KEY, {"n": 1})
    assert await storage.get_state(other) is None
    assert await storage.get_data(other) == {}
    await storage.set_state(other, "other")
    await storage.set_data(other, {"n": 2})
    assert (await storage.get_state(KEY), await storage.get_data(KEY)) == ("state", {"n": 1})


async def test_clear_leaves_no_row(storage: DialogStorage, db: Database) -> None:
    state = FSMContext(storage, KEY)
    await state.clear()
    assert await rows(db) == 0
    await state.set_state(Telling.name)
    await state.update_data(name="小芳")
    assert await rows(db) == 1
    await state.clear()
    assert await state.get_state() is None
    assert await state.get_data() == {}
    assert await rows(db) == 0


async def test_data_is_sealed_to_its_row(storage: DialogStorage, db: Database) -> None:
    other = StorageKey(bot_id=42, chat_id=7, user_id=7)
    for key in (KEY, other):
        await storage.set_data(key, {"name": "韦小芳"})
    async with db.read() as tx:
        one, two = (await tx.execute(select(Dialog.data))).scalars()
    assert one != two
    for sealed in (one, two):
        assert "韦小芳".encode() not in sealed
        assert b"\\u97e6" not in sealed


async def test_within_an_update_nothing_reaches_the_database(
    storage: DialogStorage, db: Database
) -> None:
    """Its transaction writes the conversation at its end; a second one would wait for the first."""
    conversation = Conversation(dialog_key(KEY), known=False)
    mark = current_conversation.set(conversation)
    try:
        async with db.write():
            await storage.set_state(KEY, Telling.name)
            await storage.update_data(KEY, {"n": 1})
            assert await storage.get_state(KEY) == Telling.name.state
            assert await storage.get_data(KEY) == {"n": 1}
    finally:
        current_conversation.reset(mark)
    assert (conversation.state, conversation.data) == (Telling.name.state, {"n": 1})
    assert conversation.changed
    assert await rows(db) == 0


def test_who_is_not_known_waits_in_memory_for_a_while(now: datetime) -> None:
    waiting = Waiting()
    waiting.keep("a", "state", {"token": "w"}, now)
    assert waiting.find("a", now + timedelta(hours=1)) == ("state", {"token": "w"})
    assert waiting.find("a", now + timedelta(hours=2)) == (None, {})
    waiting.drop("a")
    assert waiting.find("a", now) == (None, {})
    waiting.keep("a", "state", {}, now)
    waiting.keep("a", None, {}, now)
    assert waiting.find("a", now) == (None, {})


def test_waiting_is_bounded(now: datetime) -> None:
    waiting = Waiting()
    for number in range(10_001):
        waiting.keep(str(number), "state", {}, now)
    assert waiting.find("0", now) == (None, {})
    assert waiting.find("1", now) == ("state", {})
