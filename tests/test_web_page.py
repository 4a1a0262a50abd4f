"""The chat page in a real browser, on a small phone."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage, TelegramMethod
from aiogram.types import (
    BufferedInputFile,
    MessageEntity,
    Update,
)
from playwright.async_api import (
    Browser,
    FilePayload,
    expect,
)
from sqlalchemy import select, update

from storage.models import Person
from storage.people.invites import make_invite
from tests import web_phone
from tests.web_phone import PIXEL, Phone, buttons, joined, keyboard, new_phone, write
from tests.web_room import WebRoom

pytestmark = web_phone.needs_chromium
BEGINS = (
    "(node) => node.getBoundingClientRect().top"
    " - document.getElementById('scroll').getBoundingClientRect().top"
)
room, chromium, phone = web_phone.room, web_phone.chromium, web_phone.phone


class TestTalking:
    async def test_an_invite_begins_the_talk_and_a_tap_changes_the_question(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(f"{room.url}?start=wAAAAAAAAAAAAAAAAAAAAA")
        await page.get_by_role("button", name="Agree").click()
        await expect(page.locator(".msg")).to_have_count(1)
        await expect(page.locator(".msg .text")).to_have_text("Done: agree")
        await expect(page.locator(".toast")).to_have_text("Noted")
        await expect(page.locator("h1")).to_have_text("南对河村")
        # The token is out of sight, so that a reload does not use it again.
        assert "start" not in page.url
        await page.reload()
        await expect(page.locator(".msg .text")).to_have_text("Done: agree")
        assert sum(update.message is not None for update in room.updates) == 1

    async def test_without_an_invite_there_is_one_thing_to_do(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(room.url)
        await expect(page.get_by_text("Nothing has been said here yet.")).to_be_visible()
        await page.get_by_role("button", name="Begin").click()
        await expect(page.get_by_text("May we keep this?")).to_be_visible()
        await expect(page.get_by_role("button", name="Begin")).to_be_hidden()

    async def test_what_is_written_shows_its_way(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await write(page, "平安 👋")
        mine = page.locator(".msg.me").last
        await expect(mine.locator(".text")).to_have_text("平安 👋")
        await expect(mine.get_by_role("img", name="Received")).to_be_visible()
        await expect(page.locator(".msg")).to_have_count(4)
        assert await page.locator("#write").input_value() == ""

    async def test_a_reload_and_a_second_device_show_it(
        self, room: WebRoom, phone: Phone, chromium: Browser
    ) -> None:
        page = await joined(room, phone)
        await write(page, "kept")
        await expect(page.get_by_text("You said: kept")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("You said: kept")).to_be_visible()
        async with room.db.write() as tx:
            token = await make_invite(
                tx, kind="device", person_id=room.person_ids[room.chat_id], uses=1,
                expires_at=None, by=None, now=datetime.now(UTC),
            )  # fmt: skip
        second = await new_phone(chromium)
        other = await second.open(f"{room.url}?start={token}")
        await other.get_by_role("button", name="Open").click()
        await expect(other.get_by_text("You said: kept")).to_be_visible()
        await write(other, "from the second")
        await expect(page.get_by_text("You said: from the second")).to_be_visible()
        assert not second.problems

    async def test_a_link_to_a_conversation_asks_before_it_opens_it(
        self, room: WebRoom, phone: Phone, chromium: Browser
    ) -> None:
        page = await joined(room, phone)
        async with room.db.write() as tx:
            person_id = room.person_ids[room.chat_id]
            ref = await tx.scalar(select(Person.ref).where(Person.id == person_id))
            name = tx.vault.seal("person.name", ref, "周小芳")
            await tx.execute(update(Person).where(Person.id == person_id).values(name=name))
            token = await make_invite(
                tx, kind="device", person_id=person_id, uses=1,
                expires_at=None, by=None, now=datetime.now(UTC),
            )  # fmt: skip
        stranger = await new_phone(chromium)
        other = await stranger.open(f"{room.url}?start={token}")
        question = other.get_by_role("dialog", name="Open 周小芳's conversation in this browser?")
        await expect(question).to_be_visible()
        await other.reload()  # whoever reloads is asked again
        await expect(question).to_be_visible()
        await other.get_by_role("button", name="Not now").click()
        await expect(question).to_be_hidden()
        await write(other, "my own words")
        await expect(other.get_by_text("You said: my own words")).to_be_visible()
        await expect(page.get_by_text("my own words")).to_have_count(0)
        assert not stranger.problems

    async def test_the_bar_of_choices_sends_their_words(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await write(page, "menu")
        await page.get_by_role("button", name="I'm fine").click()
        await expect(page.get_by_text("You said: I'm fine")).to_be_visible()
        await expect(page.locator("#keyboard")).to_be_visible()
        await page.get_by_role("button", name="Hide the choices").click()
        await expect(page.locator("#keyboard")).to_be_hidden()
        once = keyboard(["Skip"], once=True)
        await room.channel.bot.send_message(room.chat_id, "City?", reply_markup=once)
        await page.get_by_role("button", name="Skip").click()
        await expect(page.locator("#keyboard")).to_be_hidden()

    async def test_one_message_is_answered(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_message(room.chat_id, "Case 7: my wages")
        await page.locator(".msg", has_text="Case 7").get_by_role("button", name="Reply").click()
        await expect(page.locator("#replying")).to_contain_text("Case 7: my wages")
        await write(page, "call them")
        await expect(page.get_by_text("You said: call them (to Case 7: my wages)")).to_be_visible()
        await expect(page.locator(".msg.me .quote").last).to_have_text("Case 7: my wages")
        await expect(page.locator("#replying")).to_be_hidden()

    async def test_words_of_a_stranger_stay_words(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        evil = '<img src=x onerror="document.title=1"><b>bold</b> https://example.org/a?b=1.'
        style = [MessageEntity(type="italic", offset=0, length=4)]
        await room.channel.bot.send_message(room.chat_id, evil, entities=style)
        text = page.locator(".msg .text").last
        await expect(text).to_have_text(evil)
        assert await text.locator("img, b").count() == 0
        assert await text.locator("i").inner_text() == "<img"
        link = text.locator("a")
        assert await link.get_attribute("href") == "https://example.org/a?b=1"
        assert await link.get_attribute("rel") == "noopener noreferrer"

    async def test_typing_is_shown_and_passes(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_chat_action(room.chat_id, "typing")
        await expect(page.locator("#typing")).to_be_visible()
        await room.channel.bot.send_message(room.chat_id, "here")
        await expect(page.locator("#typing")).to_be_hidden()

    async def test_older_messages_come_when_asked_for(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        for number in range(45):
            await room.channel.bot.send_message(room.chat_id, f"number {number}")
        await page.reload()
        await expect(page.get_by_text("number 44")).to_be_in_viewport()
        await page.get_by_role("button", name="Earlier messages").click()
        await expect(page.get_by_text("You said: hello")).to_be_attached()
        texts = await page.locator(".msg .text").all_inner_texts()
        assert texts == ["hello", "You said: hello", *(f"number {n}" for n in range(45))]
        await expect(page.get_by_role("button", name="Earlier messages")).to_be_hidden()

    @pytest.mark.parametrize("language", ["en", "zh"])
    async def test_a_long_message_is_read_from_its_first_line(
        self, room: WebRoom, phone: Phone, language: str
    ) -> None:
        page = await joined(room, phone, language=language)
        line = {"en": "What is kept, and who sees it. ", "zh": "存些什么，谁能看到。"}[language]
        tall = "\n".join(f"{number} {line}" for number in range(40))
        bot, chat, down = room.channel.bot, room.chat_id, page.locator("#down")

        async def first_line(message: int) -> float:
            """How far below the upper edge of what can be seen the message begins."""
            place = await page.locator(".msg").nth(message).evaluate(BEGINS)
            assert isinstance(place, int | float)
            return place

        # Above the answer stands what was written, and a bar of choices opens under it.
        room.answer = lambda *_: [
            SendMessage(chat_id=chat, text=tall, reply_markup=keyboard(["1"]))
        ]
        await write(page, "my data")
        await expect(page.locator("#keyboard")).to_be_visible()
        await expect(page.locator(".msg")).to_have_count(4)
        assert 0 <= await first_line(3) <= 20
        await expect(down).to_be_visible()
        # What comes while it is read stays below.
        await bot.send_message(chat, "short")
        await expect(page.locator(".msg")).to_have_count(5)
        assert 0 <= await first_line(3) <= 20
        await down.click()
        await expect(page.get_by_text("short")).to_be_in_viewport()
        # From the end on what is short is followed as ever, and a reload begins at a long one, too.
        await bot.send_message(chat, "shorter")
        await expect(page.get_by_text("shorter")).to_be_in_viewport()
        await bot.send_message(chat, tall)
        await expect(page.locator(".msg")).to_have_count(7)
        assert 0 <= await first_line(6) <= 20
        await page.reload()
        await expect(page.locator(".msg")).to_have_count(7)
        assert 0 <= await first_line(6) <= 20

    @pytest.mark.parametrize(("width", "height", "times"), [(360, 740, 6), (320, 568, 1)])
    async def test_all_buttons_of_a_question_are_seen_and_all_of_the_menu(
        self, room: WebRoom, phone: Phone, width: int, height: int, times: int
    ) -> None:
        page = await joined(room, phone, language="zh")
        await page.set_viewport_size({"width": width, "height": height})
        bot, chat, menu = room.channel.bot, room.chat_id, page.locator("#keyboard")
        rows = [["平安"], ["近况", "帮忙"], ["通知和服务", "提醒"], ["我的资料"]]
        await bot.send_message(chat, "菜单", reply_markup=keyboard(*rows))
        for button in await menu.get_by_role("button").all():
            await expect(button).to_be_in_viewport(ratio=1)
        answers = ["平安", "换地方了", "要回家", "需要帮助"]
        quake = "地震了，你那边都还好吗？" * times
        asked = f"南对河村问大家：\n\n{quake}\n\n点一下回个话，我们就放心了。"
        sent = await bot.send_message(
            chat, asked, reply_markup=buttons(*([one] for one in answers))
        )
        question = page.locator(".msg").last
        await expect(question.locator(".text")).to_contain_text("南对河村")
        for answer in answers:
            shown = question.get_by_role("button", name=answer)
            await expect(shown).to_be_in_viewport(ratio=1)
        await expect(question.locator(".text")).to_be_in_viewport(ratio=1)
        await expect(menu).to_be_hidden()
        await page.reload()
        await expect(question.get_by_role("button", name="需要帮助")).to_be_in_viewport(ratio=1)
        await expect(menu).to_be_hidden()
        # Answered, it leaves its room to the menu again.
        await bot.edit_message_text("收到，平安。", chat_id=chat, message_id=sent.message_id)
        await expect(menu).to_be_visible()
        await expect(page.get_by_text("收到，平安。")).to_be_in_viewport(ratio=1)

    async def test_a_page_that_a_tap_turns_is_read_from_its_first_line(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        tall = "\n".join(str(number) for number in range(60))
        sent = await room.channel.bot.send_message(
            room.chat_id, tall, reply_markup=buttons(["More"], *([str(n)] for n in range(9)))
        )
        more = page.get_by_role("button", name="More")
        await more.scroll_into_view_if_needed()

        def turn(update: Update, chat: int) -> list[TelegramMethod[Any]]:
            assert update.callback_query is not None
            text, message_id = f"Page two\n{tall}", sent.message_id
            return [
                EditMessageText(chat_id=chat, message_id=message_id, text=text),
                AnswerCallbackQuery(callback_query_id=update.callback_query.id),
            ]

        room.answer = turn
        await more.click()
        text = page.locator(".msg .text").last
        await expect(text).to_contain_text("Page two")
        assert 0 <= await page.locator(".msg").last.evaluate(BEGINS) <= 20

    async def test_a_deleted_message_goes_and_an_erased_talk_is_reset(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        sent = await room.channel.bot.send_message(room.chat_id, "a mistake")
        await expect(page.get_by_text("a mistake")).to_be_visible()
        await sent.delete()
        await expect(page.get_by_text("a mistake")).to_have_count(0)
        await write(page, "erase")
        await expect(page.locator(".msg .text")).to_have_text(["It's all gone."])


class TestFiles:
    async def test_a_picture_of_a_code_is_shown_and_saved(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        code = BufferedInputFile(PIXEL, "invite.png")
        await room.channel.bot.send_photo(room.chat_id, code, caption="Your invite")
        picture = page.locator("img.photo")
        await expect(picture).to_be_visible()
        await expect(picture).to_have_js_property("naturalWidth", 1)
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="Download").click()
        assert (await saved.value).suggested_filename == "invite.png"

    async def test_a_photo_from_the_phone_is_made_small_and_arrives(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await page.get_by_role("button", name="Send a photo or file").click()
        file = FilePayload(name="a.png", mimeType="image/png", buffer=PIXEL)
        await page.locator("#photo").set_input_files([file])
        await expect(page.get_by_text("Got it.")).to_be_visible()
        message = room.updates[-1].message
        assert message is not None
        assert message.photo is not None
        held = await room.channel.bot.download(message.photo[-1].file_id)
        assert held is not None
        assert held.read(3) == b"\xff\xd8\xff"  # drawn anew: where it was taken is not in it
        await expect(page.locator(".msg.me img.photo")).to_have_js_property("naturalWidth", 1)

    async def test_a_voice_is_recorded_and_arrives(self, room: WebRoom, chromium: Browser) -> None:
        phone = await new_phone(chromium, permissions=["microphone"])
        page = await joined(room, phone)
        await page.get_by_role("button", name="Record a voice message").click()
        await expect(page.get_by_role("button", name="Stop and send")).to_be_visible()
        await expect(page.locator("#write")).to_have_attribute("placeholder", re.compile("1 s"))
        await page.get_by_role("button", name="Stop and send").click()
        await expect(page.get_by_text("Got it.")).to_be_visible()
        message = room.updates[-1].message
        assert message is not None
        assert message.voice is not None
        assert message.voice.duration >= 1
        await expect(page.locator(".msg.me audio")).to_be_visible()
        assert not phone.problems

    async def test_a_place_is_sent_rough_after_a_yes(
        self, room: WebRoom, chromium: Browser
    ) -> None:
        phone = await new_phone(
            chromium,
            permissions=["geolocation"],
            geolocation={"latitude": 24.88012, "longitude": 102.83345},
        )
        page = await joined(room, phone)
        bodies: list[str] = []
        page.on("request", lambda request: bodies.append(request.post_data or ""))
        await page.get_by_role("button", name="Send a photo or file").click()
        await page.get_by_role("button", name="Where I am").click()
        await expect(page.get_by_text("Only the rough area is sent")).to_be_visible()
        await page.get_by_role("button", name="Send my rough place").click()
        await expect(page.get_by_text("Got it.")).to_be_visible()
        assert not any("24.88" in body for body in bodies)
        assert any('"latitude":24.9' in body for body in bodies)
