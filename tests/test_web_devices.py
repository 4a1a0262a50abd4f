"""Which browser holds which conversation."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update

from bot.channels.web.visitors import SEATS
from storage.models import Invite, Person, WebDevice
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import agree, invite_device
from tests.web_room import WebRoom

room, browser = web_fixtures.room, web_fixtures.browser


class TestDevices:
    async def test_a_link_opens_the_conversation_on_a_second_device(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with visit(room) as second:
            await second.open(f"?start={token}")
            async with room.db.read() as tx:  # looking at the page uses nothing up
                assert await tx.scalar(select(Invite.uses_left)) == 1
            assert (await second.post(text=f"/start {token}"))[1] == {"ok": True, "moved": True}
            await second.open()
            assert second.tag == browser.tag
            await second.say("from the second")
            assert await browser.texts() == await second.texts()
            assert "from the second" in await browser.texts()

    @pytest.mark.parametrize("why", ["used", "expired", "unknown"])
    async def test_a_link_that_lets_nobody_in_says_why(
        self, room: WebRoom, browser: Visit, why: str
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with room.db.write() as tx:
            if why == "used":
                await tx.execute(update(Invite).values(uses_left=0))
            if why == "expired":
                await tx.execute(update(Invite).values(expires_at=datetime.now(UTC)))
        if why == "unknown":
            token = "d" + "A" * 21
        async with visit(room) as second:
            status, answer = await second.post(text=f"/start {token}")
            assert status == 410
            words = {"used": "already been used", "expired": "expired", "unknown": "anything"}
            assert words[why] in answer["error"]

    async def test_it_does_not_take_the_place_of_another_person(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        first_chat, first_tag = room.chat_id, browser.tag
        async with visit(room) as other:
            await agree(other)
            token = await invite_device(room, room.chat_id, uses=None)
        await browser.open(f"?start={token}")
        assert browser.seat == "2"
        await browser.post(text=f"/start {token}")
        await browser.open("?seat=2")
        assert browser.tag != first_tag
        await browser.say("from the second seat")
        assert room.chat_id != first_chat
        await browser.open()
        assert (browser.seat, browser.tag) == ("1", first_tag)
        assert "from the second seat" not in await browser.texts()
        # Opened again, it leads to the seat that has it.
        await browser.open(f"?start={token}")
        assert browser.seat == "2"

    async def test_the_page_is_told_whose_it_is_and_nothing_is_used_up(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        token = await invite_device(room, room.chat_id)
        async with room.db.write() as tx:
            ref = await tx.scalar(select(Person.ref))
            assert ref is not None
            await tx.execute(update(Person).values(name=tx.vault.seal("person.name", ref, "小芳")))
        async with visit(room) as second:
            await second.open(f"?start={token}")
            assert await second.ask_whose(token) == (200, {"name": "小芳"})
            status, answer = await second.ask_whose("d" + "A" * 21)
            assert (status, list(answer)) == (410, ["error"])
            async with room.db.read() as tx:
                assert await tx.scalar(select(Invite.uses_left)) == 1
        assert await browser.ask_whose(token) == (200, {"here": True})

    async def test_a_browser_with_every_seat_taken_keeps_them(
        self, room: WebRoom, browser: Visit
    ) -> None:
        tags = []
        for seat in SEATS:
            await browser.open(f"?seat={seat}")
            await agree(browser)
            tags.append(browser.tag)
        async with visit(room) as other:
            await agree(other)
            token = await invite_device(room, room.chat_id)
        await browser.open(f"?start={token}")
        for status, answer in (
            await browser.ask_whose(token),
            await browser.post(text=f"/start {token}"),
        ):
            assert status == 409
            assert answer["error"].startswith("This browser can't hold one more")
        for seat, tag in zip(SEATS, tags, strict=True):
            await browser.open(f"?seat={seat}")
            assert browser.tag == tag
        async with room.db.read() as tx:
            assert await tx.scalar(select(Invite.uses_left)) == 1

    async def test_an_invite_goes_to_the_person_who_opens_it(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        await browser.open("?start=wAAAAAAAAAAAAAAAAAAAAA")
        assert browser.seat == "1"

    async def test_unless_that_person_is_made_up(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            await tx.execute(update(Person).values(is_demo=True))
        await browser.open("?start=wAAAAAAAAAAAAAAAAAAAAA")
        assert browser.seat == "2"

    async def test_a_device_that_was_let_go_of_cannot_come_back_by_arithmetic(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            await tx.execute(delete(WebDevice))
        tag = browser.tag
        assert (await browser.post(text="hello"))[0] == 401
        await browser.open()
        assert browser.tag != tag

    async def test_what_was_written_in_one_conversation_is_not_sent_in_another(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("hello")
        before = len(room.updates)
        status, answer = await browser.post(chat="another-tag-it-is", text="for someone else")
        assert (status, answer["moved"]) == (409, True)
        assert len(room.updates) == before
        browser.tag = "another-tag-it-is"
        async with browser.stream() as stream:
            assert await stream.next() == ("moved", {})
