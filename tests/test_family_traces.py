"""Leaving: the family's web chats, and officers' cards, no longer show who left."""

from datetime import datetime

from storage.database import Database, Tx
from storage.people.erasure import erase_person
from storage.people.who import Who
from storage.talk.conversation import Body, add_message, find_chat, messages_before, open_chat
from tests.county import make_area, make_person
from tests.kin_family import tie


async def said(tx: Tx, who: Who, now: datetime, *texts: str, me: bool = False) -> None:
    if await find_chat(tx, who.chat_id) is None:
        await open_chat(tx, who.chat_id, now)
    for text in texts:
        body: Body = {"text": text, "me": True} if me else {"text": text}
        assert await add_message(tx, who.chat_id, body, now) is not None


async def shown(tx: Tx, who: Who) -> list[str]:
    bubbles = await messages_before(tx, who.chat_id, 10**6, 1000)
    return [bubble.body["text"] for bubble in bubbles if bubble.body]


async def world(tx: Tx, now: datetime) -> tuple[Who, Who, Who]:
    elm = await make_area(tx, "elm", now)
    fang = await make_person(tx, "韦小芳", now, area=elm)
    mum = await make_person(tx, "妈妈", now)
    wei = await make_person(tx, "老韦", now, officer_of=elm)
    await tie(tx, fang, mum, now)
    await said(tx, mum, now, "最近有韦小芳的消息吗？", "怎么称呼你？")
    await said(tx, mum, now, "韦小芳很好", me=True)
    await said(tx, fang, now, "妈妈同意了", "这周过得还好吗？")
    await said(tx, fang, now, "问妈妈就行", me=True)
    await said(tx, wei, now, "韦小芳 · Elm\n可以问的家里人：妈妈", "阿明说他妈妈病了", "早")
    return fang, mum, wei


async def test_who_was_away_leaves(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        fang, mum, wei = await world(tx, now)
        await erase_person(tx, fang, now)
        assert await shown(tx, mum) == ["怎么称呼你？", "韦小芳很好"]  # her own words stay hers
        assert await shown(tx, wei) == ["阿明说他妈妈病了", "早"]


async def test_who_was_at_home_leaves(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        fang, mum, wei = await world(tx, now)
        await erase_person(tx, mum, now)
        assert await shown(tx, fang) == ["这周过得还好吗？", "问妈妈就行"]
        # A mother is no name in an officer's chat, unless it is hers.
        assert await shown(tx, wei) == ["阿明说他妈妈病了", "早"]
