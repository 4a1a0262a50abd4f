"""Someone at home on the built-in web chat, who speaks for a worker on Telegram."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from storage.models import Account, Checkin, Contact
from tests.one_family import ask_kin
from tests.test_story_relatives import NOTED, OVER, invited
from tests.town import Town, says, tap, town, word, write
from tests.visitor import Visitor, cookies

__all__ = ["town"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def visitor(town: Town) -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(cookie_jar=cookies()) as browser:
        visitor = Visitor(town.settings.public_url, browser)
        await visitor.open()
        yield visitor


async def test_from_the_link_to_leaving(town: Town, visitor: Visitor) -> None:
    fang = await town.worker("小芳")
    token = await invited(town, fang)
    for text in (f"/start {token}", "中文", "同意", "妈妈"):
        assert await visitor.write(text) == 200
    *_, done = await visitor.heard(5)
    assert done["keyboard"]["rows"][0][0]["text"] == word("I've heard from my family")
    (told,) = await fang.heard()
    assert "妈妈" in told.text

    await town.rollcall("都好吗？")
    about = await town.known(fang)
    (checkin,) = await town.rows(Checkin)
    async with town.db.write() as tx:
        assert await ask_kin(tx, checkin.id, about.person_id, town.clock())
    town.service.delivery.nudge()
    (asked,) = await visitor.heard()
    assert await visitor.tap(asked, "ka:") == 200
    receipt = await visitor.becomes(asked)
    assert says(receipt["text"], NOTED)
    assert await town.count(Contact, Contact.evidence == "relative") == 1

    # The worker leaves: one plain line, and the name is nowhere in her chat any more.
    fang.skip()
    page = await write(fang, "离开")
    await tap(fang, page, "md:erase")
    (over,) = await visitor.heard()
    assert says(over["text"], OVER)
    assert "小芳" not in str(await visitor.history())

    assert await visitor.write("离开") == 200
    (ask,) = await visitor.heard()
    assert await visitor.tap(ask, "md:erase") == 200
    assert await town.count(Account) == 0


async def test_the_language_they_choose_is_the_pages(town: Town, visitor: Visitor) -> None:
    """Also after the page is loaded again, whatever the browser reads."""
    fang = await town.worker("小芳")
    token = await invited(town, fang)

    async def page() -> str:
        chinese = {"Accept-Language": "zh-CN"}
        async with visitor.browser.get(f"{visitor.url}/chat/", headers=chinese) as loaded:
            return await loaded.text()

    for text in (f"/start {token}", "English"):
        assert await visitor.write(text) == 200
    assert '<html lang="zh-CN"' in await page()  # nothing is kept before they agree
    for text in ("Agree", "Mum"):
        assert await visitor.write(text) == 200
        assert '<html lang="en"' in await page()
    shown = await page()
    assert "Write a message" in shown
    area = (await town.known(fang)).area_name
    assert area
    assert f">{area}</h1>" in shown


async def test_declining_leaves_no_trace(town: Town, visitor: Visitor) -> None:
    fang = await town.worker("小芳")
    token = await invited(town, fang)
    before = await town.everything()
    for text in (f"/start {token}", "English", "Decline", "A secret"):
        assert await visitor.write(text) == 200
    assert await town.everything() == before
