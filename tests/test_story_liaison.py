"""A liaison's stories on Telegram: joining, the week at a glance, calls, notices, invites."""

import re

import aiohttp

from storage.models import Broadcast, Contact, Delivery, Look, Role
from tests.botapi import Message, PrivateConversation
from tests.town import Town, data_of, eventually, tap, town, word, write

__all__ = ["town"]


async def open_menu(phone: PrivateConversation) -> Message:
    menu = await write(phone, "menu")
    assert data_of(menu, "lm:today")
    return menu


async def test_joining_by_an_officer_link(town: Town) -> None:
    token = await town.officer_invite("V", "liaison", "韦建国")
    before = await town.everything()
    phone = town.phone("Wei")
    await phone.start(token)
    (asked,) = await phone.heard()
    consent = await tap(phone, asked, "en:lang:zh")
    assert "南对河村" in consent
    assert await town.everything() == before
    await tap(phone, asked, "en:agree")
    (menu,) = await phone.heard()
    assert "韦建国" in menu.text  # the name they were invited by
    for task in ("today", "silent", "inbox", "broadcast", "invite", "console"):
        assert data_of(menu, f"lm:{task}")
    who = await town.known(phone)
    assert (who.name, who.is_officer, who.is_worker) == ("韦建国", True, False)
    (role,) = await town.rows(Role)
    assert (role.person_id, role.role, role.until) == (who.person_id, "liaison", None)
    assert "韦建国" not in str(await town.dump())

    late = town.phone("Late")  # the link lets one in
    await late.start(token)
    (refused,) = await late.heard()
    assert refused.text == word(
        "This link has been used up. Please ask your village for a new one."
    )


async def test_the_week_and_a_call_in_two_taps(town: Town) -> None:
    liaison = await town.officer("老韦")
    well = await town.worker("小芳")
    for name in ("小明", "阿强", "阿珍", "阿娟"):
        await town.worker(name)
    await write(well, "平安")

    menu = await open_menu(liaison)
    today = await tap(liaison, menu, "lm:today")
    assert "20%" in today
    for text in ("今天", "today", "没消息", "求助", "invite", "后台"):
        assert (await write(liaison, text)).from_bot  # no command need be known
    silent = await write(liaison, "没消息")
    assert "小芳" not in silent.text
    assert all(name in silent.text for name in ("小明", "阿强", "阿珍", "阿娟"))

    # One tap on the name, one on what came of the call.
    name = silent.labels[0].split(" · ")[0]
    card = await tap(liaison, silent, "lp:")
    assert name in card
    reached = data_of(silent, "ll:")
    noted = await tap(liaison, silent, reached)
    assert name in noted
    (call,) = await town.rows(Contact, Contact.kind == "call")
    assert (call.outcome, call.success, call.evidence) == ("reached", True, "liaison")

    # A second tap on what an old screen still shows notes nothing.
    again = await liaison.forge(silent, reached).answered()
    assert again.text
    assert await town.count(Contact, Contact.kind == "call") == 1

    await tap(liaison, silent, "lu:")
    corrections = await town.rows(Contact, Contact.corrects_id.is_not(None))
    assert [correction.corrects_id for correction in corrections] == [call.id]
    assert "20%" in (await write(liaison, "今天")).text
    await tap(liaison, silent, "ll:")
    assert "40%" in (await write(liaison, "今天")).text
    assert await town.count(Look) > 0  # every look at names is written down


async def test_a_notice_from_text_to_outcome(town: Town) -> None:
    liaison = await town.officer("老韦")
    here = [await town.worker(name) for name in ("小芳", "小明")]
    elsewhere = await town.worker("外村的", "W")
    menu = await open_menu(liaison)
    await tap(liaison, menu, "lm:broadcast")
    preview = await write(liaison, "第一稿", answers=2)
    first = data_of(preview, "lb:send")
    await tap(liaison, preview, "lb:edit")
    ask = await write(liaison, "下周三镇卫生院免费体检。", answers=2)
    assert "下周三镇卫生院免费体检。" in ask.chat.messages()[-2].text
    assert "2" in ask.text
    stale = await liaison.forge(preview, first).answered()
    assert stale.text  # the first wording was changed: it must not go out
    assert await town.count(Broadcast) == 0
    await tap(liaison, ask, "lb:send")
    for phone in here:
        (notice,) = await phone.heard()
        assert "下周三镇卫生院免费体检。" in notice.text
        assert "南对河村" in notice.text

    async def all_sent() -> bool:
        return await town.count(Delivery, Delivery.state == "sent") == 2

    await eventually(all_sent)
    outcome = await tap(liaison, ask, "lo:")
    assert "2" in outcome
    assert elsewhere.messages == []
    again = await liaison.forge(ask, "lb:send:whatever").answered()
    assert again.text
    assert await town.count(Broadcast) == 1


async def test_inviting_a_village(town: Town) -> None:
    liaison = await town.officer("老韦")
    menu = await open_menu(liaison)
    await liaison.tap(menu, data_of(menu, "lm:invite"))
    (picture,) = await liaison.heard()
    photo = town.api.files.get(picture.raw["photo"][-1]["file_id"])
    assert photo.data.startswith(b"\x89PNG\r\n\x1a\n")
    found = re.search(r"https://t\.me/kinroom_bot\?start=(w[\w-]{21})", picture.text)
    assert found
    assert f"{town.settings.public_url}/chat/?start={found[1]}" in picture.text
    phone = town.phone("Fang")
    await phone.start(found[1])
    (asked,) = await phone.heard()
    assert "南对河村" in asked.text


async def test_a_one_time_link_into_the_console(town: Town) -> None:
    liaison = await town.officer("老韦")
    await town.worker("小芳")
    menu = await open_menu(liaison)
    await liaison.tap(menu, data_of(menu, "lm:console"))
    (sent,) = await liaison.heard()
    assert sent.raw["has_protected_content"]
    url = sent.buttons[0][0]["url"]
    address, _, token = url.partition("#")
    assert address == f"{town.settings.public_url}/console/enter"
    origin = {"Origin": town.settings.public_url}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(address) as page:
            assert page.status == 200  # a preview of the link opens nothing
        async with browser.post(address, data={"token": f"#{token}"}, headers=origin) as page:
            assert page.status == 200
            assert "南对河村" in await page.text()
    async with (
        aiohttp.ClientSession() as another,
        another.post(address, data={"token": f"#{token}"}, headers=origin) as page,
    ):
        assert page.status == 403


async def test_an_officer_of_several_villages_chooses_one(town: Town) -> None:
    supervisor = await town.officer("镇主任", "T", role="supervisor")
    await town.worker("小芳", "V")
    await town.worker("小李", "W")
    assert "0%" in (await write(supervisor, "今天")).text
    choice = await write(supervisor, "邀请")
    assert {"南对河村", "北对河村"} <= set(choice.labels)
    await supervisor.tap(choice, "北对河村")
    (picture,) = await supervisor.heard()
    assert "北对河村" in picture.text
    # Another area's data: the liaison of W sees nobody of V.
    other = await town.officer("老李", "W")
    silent = await write(other, "没消息")
    assert "小芳" not in silent.text
    assert "小李" in silent.text
