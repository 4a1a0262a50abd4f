"""What goes wrong on Telegram: each gets a clear sentence, and nothing is lost or half done."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from bot import greeting, polling
from bot.middlewares.throttle import BURST
from handlers.worker import checkin
from handlers.worker import news as news_page
from storage.models import Contact, Intake, Role
from storage.people.invites import make_invite
from tests.botapi import Garble, PrivateConversation
from tests.town import (
    PATIENCE,
    Town,
    data_of,
    eventually,
    open_town,
    says,
    tap,
    town,
    word,
    write,
)

__all__ = ["town"]

ASK_FOR_A_NEW_ONE = {
    "malformed": "This link is not whole. Please open it again, or ask for a new one.",
    "unknown": "This link is not one of ours. Please ask your village for a new one.",
    "used": "This link has been used up. Please ask your village for a new one.",
    "expired": "This link is too old by now. Please ask your village for a new one.",
}


async def agreed(town: Town, token: str | None = None) -> PrivateConversation:
    """Someone who agreed, in Chinese, and is asked for a name."""
    phone = town.phone("Fang")
    await phone.start(token or await town.invite("V"))
    await phone.heard()
    await write(phone, "中文")
    await write(phone, "同意", answers=2)
    return phone


async def test_links_that_let_nobody_in(town: Town) -> None:
    used = await town.invite("V", uses=1)
    await agreed(town, used)
    old = await town.invite("V", lasts=timedelta(hours=1))
    town.move(hours=2)
    before = await town.everything()
    for token, why in (
        (used, "used"),
        (old, "expired"),
        ("w" + "A" * 21, "unknown"),
        ("wABC", "malformed"),
        ("x" + "A" * 21, "malformed"),
        ("A" * 64, "malformed"),
    ):
        phone = town.phone("Fang")
        await phone.start(token)
        (refused,) = await phone.heard()
        assert refused.text == word(ASK_FOR_A_NEW_ONE[why]), (token, why)
    assert await town.everything() == before

    # The same to somebody known, who stays what they were.
    worker = await town.worker("小芳")
    refused = await write(worker, f"/start {old}")
    assert refused.text == word(ASK_FOR_A_NEW_ONE["expired"])
    assert (await town.known(worker)).area_name == "南对河村"


async def test_a_link_used_up_while_the_consent_was_read(town: Town) -> None:
    token = await town.invite("V", uses=1)
    slow = town.phone("Slow")
    await slow.start(token)
    (asked,) = await slow.heard()
    await tap(slow, asked, "en:lang:zh")
    await agreed(town, token)
    before = await town.everything()
    assert await tap(slow, asked, "en:agree") == word(ASK_FOR_A_NEW_ONE["used"])
    assert await town.everything() == before


async def test_a_device_link_enrols_nobody(town: Town) -> None:
    phone = await town.worker("小芳")
    person = (await town.known(phone)).person_id
    async with town.db.write() as tx:
        token = await make_invite(
            tx,
            kind="device",
            person_id=person,
            uses=1,
            expires_at=None,
            by=person,
            now=datetime.now(UTC),
        )
    stranger = town.phone("Stranger")
    await stranger.start(token)
    (refused,) = await stranger.heard()
    assert refused.text == word(ASK_FOR_A_NEW_ONE["unknown"])


async def test_names_of_every_kind(town: Town) -> None:
    phone = await agreed(town)
    area = (await town.known(phone)).area_id
    assert area is None
    for refused in ("名" * 500, "🎉🎉🎉", "...", "12345", "\u200f\u202e"):
        again = await write(phone, refused)
        assert again.from_bot
        assert (await town.known(phone)).name == "", refused
    # What is no text at all.
    for send in (phone.send_sticker(), phone.send_voice(), phone.send_photo()):
        phone.skip()
        await send
        (again,) = await phone.heard()
        assert says(again, "Please write your name, as people at home call you.")
    assert (await town.known(phone)).area_id is None
    hello = await write(phone, "<b>小芳</b> & \u202eمحمد 🎉")
    who = await town.known(phone)
    assert who.name == "<b>小芳</b> & محمد 🎉"  # kept as written, without the sign that turns it
    assert who.name in hello.text
    assert hello.entities == []  # and shown as written
    assert who.area_name == "南对河村"


async def test_a_menu_asked_for_before_the_name(town: Town) -> None:
    phone = await agreed(town)
    for words in ("menu", "返回", "/start", "/menu"):
        assert (await write(phone, words)).from_bot
        assert (await town.known(phone)).name == ""
    await write(phone, "小芳")
    assert (await town.known(phone)).name == "小芳"


async def test_a_workers_link_opened_by_others(town: Town) -> None:
    token, other = await town.invite("V"), await town.invite("W", uses=1)
    liaison = await town.officer("老韦")
    await liaison.start(token)
    told, menu = await liaison.heard(2)
    assert "南对河村" in told.text
    assert data_of(menu, "lm:today")
    assert (await town.known(liaison)).is_worker is False

    worker = await town.worker("小芳")
    already = await write(worker, f"/start {token}")
    assert "小芳" in already.text
    # Another village's link asks first, and moves only once told to.
    asked = await write(worker, f"/start {other}")
    assert "北对河村" in asked.text
    assert (await town.known(worker)).area_name == "南对河村"
    await tap(worker, asked, "mv:stay")
    asked = await write(worker, f"/start {other}")
    await tap(worker, asked, "mv:move")
    assert (await town.known(worker)).area_name == "北对河村"
    # A worker may be made an officer, if they agree, and stays a worker.
    asked = await write(worker, f"/start {await town.officer_invite('W', 'liaison', '小芳')}")
    assert not (await town.known(worker)).is_officer
    await tap(worker, asked, "mv:serve")
    who = await town.known(worker)
    assert (who.is_worker, who.is_officer) == (True, True)
    assert await town.count(Role) == 2


async def test_a_group_is_no_place_for_anyones_data(town: Town) -> None:
    liaison, worker = await town.officer("老韦"), await town.worker("小芳")
    token = await town.invite("V")
    group = town.api.add_group("南对河村老乡群", liaison.user, worker.user)
    before = await town.everything()
    group.add(town.account)
    room = group.open(worker.user)
    (hello,) = await room.heard()
    assert word(
        "Hello. I don't read along here. To tell me something, write to me in private."
    ) in (hello.text)
    for text in (f"/start {token}", "/menu"):
        await room.write(text)
        (asked_over,) = await room.heard()
        assert says(asked_over, "Here everyone can read along. Please write to me in private.")
    await room.write("平安")
    await room.send_location(23.0, 113.0)
    await town.settled()
    assert len([m for m in room.messages if m.from_bot]) == 3
    assert await town.everything() == before


async def test_edited_messages(town: Town) -> None:
    phone = await town.worker("小芳")
    phone.skip()
    mine = await phone.write("平安")
    await phone.heard()
    await phone.edit(mine, "求助")
    (told,) = await phone.heard()
    assert told.from_bot
    assert [contact.outcome for contact in await town.rows(Contact)] == ["ok"]
    stranger = town.phone("Stranger")
    first = await stranger.start()
    await stranger.edit(first, "/start x")
    await town.settled()


async def test_blocked_and_back(town: Town) -> None:
    phone = await town.worker("小芳")
    assert await town.account_state(phone) == "reachable"
    await phone.block()
    await town.settled()
    assert await town.account_state(phone) == "blocked"
    await phone.unblock()
    await town.settled()
    assert await town.account_state(phone) == "reachable"

    # Telegram did not say: the first message that does not get through does.
    phone.chat.blocked = True
    assert await town.rollcall("都平安吗？") == 1
    await _until(town, phone, "blocked")
    phone.chat.blocked = False
    assert (await write(phone, "平安")).from_bot
    assert await town.account_state(phone) == "reachable"


async def test_an_update_that_cannot_be_read(town: Town) -> None:
    """It is passed over, and holds up neither what came with it nor what comes after."""
    fang, ming = await town.worker("小芳"), await town.worker("小明")
    await town.settled()
    updates = town.account.updates
    updates.push_raw({"message": {"message_id": "not a number"}})
    await fang.write("平安")
    updates.push_raw({"callback_query": {"id": 7}})
    updates.push_raw({"a_kind_of_next_year": {"chat": {"id": fang.user.id}}})
    updates.push_raw({"message": None})
    updates.push_raw({})
    await ming.write("平安")
    await fang.heard()
    await ming.heard()
    await town.settled()
    assert await town.count(Contact) == 2


async def test_a_handler_that_fails(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The update is set aside whole, the person is told, and the next one works."""
    fang, ming = await town.worker("小芳"), await town.worker("小明")
    asked = await write(fang, word("My news"))
    before = await town.count(Contact)
    with monkeypatch.context() as patch:
        # It fails after it has written: half of it must not stay.
        patch.setattr(checkin, "record_heard", _fail)
        patch.setattr(news_page, "record_heard", _fail)
        await fang.write("平安")
        (sorry,) = await fang.heard()
        tapped = fang.press(asked, data_of(asked, "nw:home"))
        await tapped.answered()  # the button does not wait for ever
        (sorry_too,) = await fang.heard()
    assert (
        sorry.text
        == sorry_too.text
        == word("Something went wrong on our side. Please try once more.")
    )
    assert await town.count(Contact) == before
    assert (await town.known(fang)).status == "away"
    problems = await town.rows(Intake, Intake.problem.is_not(None))
    assert [row.problem for row in problems] == ["RuntimeError"] * 2
    for phone in (fang, ming):
        assert (await write(phone, "平安")).from_bot
    assert await town.count(Contact) == before + 2


async def test_a_proxy_that_answers_for_telegram(town: Town) -> None:
    """What it takes away comes again: neither a word nor its reply is lost."""
    phone = await town.worker("小芳")
    fetching = town.api.faults.add(Garble(), "getUpdates")
    saying = town.api.faults.add(Garble(after=True), "sendMessage")
    await phone.write("平安")  # is fetched by the poll under way, the next one fails
    await phone.heard(2)  # the reply went through, only its receipt was lost: it comes again
    await phone.write("平安")
    await phone.heard()
    assert (fetching.struck, saying.struck) == (1, 1)
    assert await town.count(Contact) == 2


async def test_telegram_out_of_reach_at_the_start(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest works; once Telegram is back, people are heard and links lead there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(greeting, "RETRY", 0.05)
    monkeypatch.setattr(polling, "_WAITS", (0.05,))
    async with open_town(database_url, cut_off=True) as town:
        await town.village()
        async with aiohttp.ClientSession() as browser:
            for page in ("/chat/", "/readyz"):
                async with browser.get(town.settings.public_url + page) as answer:
                    assert answer.status == 200
        liaison = await town.officer("老韦")
        await town.api.start()
        await town.api.wait_until(lambda: town.api.log.of("setMyCommands"), PATIENCE)
        await town.worker("小芳")

        async def named() -> bool:
            return "t.me/kinroom_bot" in (await write(liaison, "邀请")).text

        await eventually(named)


async def test_a_backlog_is_all_heard(town: Town) -> None:
    fang, ming = await town.worker("小芳"), await town.worker("小明")
    before = await town.count(Contact)
    for _ in range(BURST + 10):
        await fang.write("平安")
    assert (await write(ming, "平安")).from_bot  # nobody else is slowed
    await town.settled()
    slow_down = word("That was a lot at once. Please wait a minute and send the last part again.")
    assert slow_down not in [message.text for message in fang.messages]
    assert await town.count(Contact) - before == BURST + 10 + 1


async def test_words_of_every_size(town: Town) -> None:
    phone, liaison = await town.worker("小芳"), await town.officer("老韦")
    long = "很长的一段话。" * 585  # just below what Telegram carries
    assert (await write(phone, long)).from_bot
    told = await liaison.heard(2)
    assert "".join(message.text for message in told).count("很长的一段话") == 585
    for strange in (
        "/nosuchcommand",
        "\u202eabc",
        "a\u0000b",
        "<b>",
        "{name} %s %(x)s",
        "𝓗𝓮𝓵𝓵𝓸 🏳️‍🌈",
    ):
        assert (await write(phone, strange)).from_bot
    await town.settled()
    assert await town.count(Intake, Intake.problem.is_not(None)) == 0


async def _until(town: Town, phone: PrivateConversation, state: str) -> None:
    async def is_so() -> bool:
        return await town.account_state(phone) == state

    await eventually(is_so)


async def _fail(*_: object, **__: object) -> None:
    raise RuntimeError("planted")
