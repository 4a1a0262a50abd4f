"""The same people on the built-in web chat, through its addresses and the running service."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from storage.models import Account, Contact, Person, WebChat, WebDevice, WebFile, WebMessage
from tests.town import Town, town, word
from tests.visitor import Visitor, cookies

__all__ = ["town"]


@pytest.fixture
async def visitor(town: Town) -> AsyncIterator[Visitor]:
    """Someone whose browser has just opened the page."""
    async with aiohttp.ClientSession(cookie_jar=cookies()) as browser:
        visitor = Visitor(town.settings.public_url, browser)
        await visitor.open()
        yield visitor


async def say(visitor: Visitor, *texts: str) -> None:
    for text in texts:
        assert await visitor.write(text) == 200


async def test_from_the_invite_to_an_answer_from_home(town: Town, visitor: Visitor) -> None:
    liaison = await town.officer("老韦")
    await say(visitor, f"/start {await town.invite('V')}")
    (asked,) = await visitor.heard()
    assert await visitor.tap(asked, "en:lang:zh") == 200
    asked = await visitor.becomes(asked)
    assert await visitor.tap(asked, "en:agree") == 200
    await visitor.becomes(asked)
    await say(visitor, "小红", "东莞")
    *_, done = await visitor.heard(3)
    assert done["keyboard"]["rows"][0][0]["text"] == word("I'm fine")
    (account,) = await town.rows(Account, Account.channel == "web")

    assert await town.rollcall("都平安吗？") == 1
    (question,) = await visitor.heard()
    assert "都平安吗？" in question["text"]
    assert await visitor.tap(question, "ci:") == 200
    receipt = await visitor.becomes(question)
    assert "20:0" in receipt["text"]
    assert "inline" not in receipt
    (contact,) = await town.rows(Contact, Contact.kind == "checkin")
    assert (contact.person_id, contact.outcome) == (account.person_id, "ok")

    await say(visitor, "工钱没发")
    await visitor.heard()
    (case,) = await liaison.heard()
    assert "小红" in case.text
    await liaison.reply(case, "我来问")
    (answer,) = await visitor.heard()
    assert "我来问" in answer["text"]
    kept = str(await town.dump())
    for words in ("小红", "工钱没发", "我来问"):
        assert words not in kept  # also of the conversation itself

    assert await visitor.share_place(22.547123, 114.085947) == 200
    (noted,) = await visitor.heard()
    assert "深圳" in noted["text"]
    assert "114.0" not in str(await visitor.history())


async def test_who_declines_leaves_no_trace(town: Town, visitor: Visitor) -> None:
    token = await town.invite("V")
    before = await town.everything()
    await say(visitor, f"/start {token}", "English")
    assert await visitor.share_place(22.5, 114.1) == 200
    await say(visitor, "Decline", "A secret")
    assert "A secret" in str(await visitor.history())  # they see it, and nobody else
    assert await town.everything() == before


async def test_leaving_takes_the_conversation_along(town: Town, visitor: Visitor) -> None:
    token = await town.invite("V")
    await say(visitor, f"/start {token}", "中文", "同意", "小红", "跳过", "平安", "离开")
    *_, ask = await visitor.heard(8)
    assert await visitor.tap(ask, "md:erase") == 200

    async def gone() -> None:
        for model in (Account, WebChat, WebDevice, WebMessage, WebFile):
            assert await town.count(model) == 0, model

    await gone()
    (person,) = await town.rows(Person)
    assert (person.name, person.status) == (None, "left")
    # Another word from the same browser is a stranger's.
    await visitor.open()
    await say(visitor, "还在吗")
    await gone()
    # And the way back is open.
    await say(visitor, f"/start {token}", "中文", "同意", "小红", "跳过")
    assert await town.count(Person) == 2
    assert await town.count(WebChat) == 1
