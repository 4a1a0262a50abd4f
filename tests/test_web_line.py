"""The chat page over a lost and regained connection: what is written arrives, once."""

from typing import Any

from playwright.async_api import (
    FilePayload,
    expect,
)

from tests import web_phone
from tests.web_phone import Phone, buttons, joined, write
from tests.web_room import WebRoom

pytestmark = web_phone.needs_chromium
room, chromium, phone = web_phone.room, web_phone.chromium, web_phone.phone


class TestBadLine:
    async def test_what_is_written_offline_is_kept_and_arrives_once(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await write(page, "first")
        await write(page, "second")
        waiting = page.get_by_role("img", name="Waiting to be sent")
        await expect(waiting).to_have_count(2)
        await phone.context.set_offline(False)
        await expect(page.get_by_text("You said: second")).to_be_visible()
        await expect(waiting).to_have_count(0)
        await expect(page.get_by_text("You are offline.")).to_have_count(0)
        texts = await page.locator(".msg.me .text").all_inner_texts()
        assert texts == ["hello", "first", "second"]

    async def test_it_outlives_a_closed_page(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        room.failures = 1000
        await write(page, "kept in the phone")
        await expect(page.get_by_text("Yours is kept and sent soon.")).to_be_visible()
        await page.close()
        room.failures = 0
        page = await phone.open(room.url)
        await expect(page.get_by_text("You said: kept in the phone")).to_be_visible()
        said = [update.message.text for update in room.updates if update.message]
        assert said.count("kept in the phone") == 1

    async def test_an_answer_that_was_lost_makes_no_second_message(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        lost = 0

        async def lose(route: Any) -> None:
            nonlocal lost
            lost += 1
            await route.fetch()  # it arrives, and the answer does not
            await route.abort()

        await page.route("**/chat/send?*", lose, times=1)
        await write(page, "once")
        await expect(page.get_by_text("You said: once")).to_be_visible()
        await expect(page.get_by_role("img", name="Waiting to be sent")).to_have_count(0)
        phone.problems = [text for text in phone.problems if "ERR_FAILED" not in text]
        assert lost == 1
        assert await page.locator(".msg.me").count() == 2
        said = [update.message.text for update in room.updates if update.message]
        assert said.count("once") == 1

    async def test_a_tap_made_offline_arrives(self, room: WebRoom, phone: Phone) -> None:
        page = await joined(room, phone)
        await room.channel.bot.send_message(
            room.chat_id, "How was your week?", reply_markup=buttons(["I'm fine"])
        )
        button = page.get_by_role("button", name="I'm fine")
        await expect(button).to_be_visible()
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        await button.click()
        await phone.context.set_offline(False)
        await expect(page.get_by_text("Done: I'm fine")).to_be_visible()

    async def test_what_was_said_meanwhile_arrives_in_order(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.set_offline(True)
        await expect(page.get_by_text("You are offline.")).to_be_visible()
        for number in range(3):
            await room.channel.bot.send_message(room.chat_id, f"meanwhile {number}")
        await phone.context.set_offline(False)
        await expect(page.get_by_text("meanwhile 2")).to_be_visible()
        texts = await page.locator(".msg.bot .text").all_inner_texts()
        assert texts[-3:] == [f"meanwhile {number}" for number in range(3)]

    async def test_what_is_refused_says_why_and_what_to_do(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await phone.open(room.url)
        await write(page, "hello")
        await expect(page.get_by_text("You said: hello")).to_be_visible()
        await page.get_by_role("button", name="Send a photo or file").click()
        file = FilePayload(name="a.txt", mimeType="text/plain", buffer=b"hello")
        await page.locator("#file").set_input_files([file])
        failed = page.locator(".msg.failed")
        await expect(failed).to_contain_text("can be sent once you have joined")
        await failed.get_by_role("button", name="Remove").click()
        await expect(failed).to_have_count(0)
        phone.problems = [text for text in phone.problems if "403" not in text]

    async def test_a_browser_that_moved_on_shows_where_it_is(
        self, room: WebRoom, phone: Phone
    ) -> None:
        page = await joined(room, phone)
        await phone.context.clear_cookies()
        other = await phone.open(room.url)
        await write(page, "for whom?")
        await expect(page.get_by_text("Nothing has been said here yet.")).to_be_visible()
        await expect(other.get_by_text("for whom?")).to_have_count(0)
        phone.problems = [text for text in phone.problems if "409" not in text]
