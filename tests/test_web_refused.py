"""Bad input to the web chat, and what it gets."""

from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramServerError
from aiogram.methods import SendDice, SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from storage.models import Base
from storage.vault import Vault
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import agree
from tests.web_room import WebRoom

room, browser = web_fixtures.room, web_fixtures.browser


class TestBadInput:
    @pytest.mark.parametrize(
        "payload",
        [
            {"text": ""},
            {"text": " \n\u2028 "},
            {"text": 5},
            {"tap": {"message_id": "1", "data": "a"}},
            {"tap": {"message_id": 1}},
            {"tap": []},
            {"location": {"latitude": 91, "longitude": 0}},
            {"location": {"latitude": True, "longitude": 0}},
            {"location": {"latitude": "1", "longitude": 0}},
            {"location": {}},
            {},
            {"client_id": "short", "text": "hello"},
            {"client_id": None, "text": "hello"},
            {"client_id": "with spaces in the id", "text": "hello"},
        ],
    )
    async def test_it_is_refused_in_words(self, browser: Visit, payload: dict[str, Any]) -> None:
        status, answer = await browser.post(**payload)
        assert status == 400
        assert answer["error"].endswith(".")

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 30_000])
    async def test_what_is_no_object_is_refused(self, browser: Visit, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        async with browser.http.post("/chat/send", data=body, headers=headers) as response:
            assert response.status == 400

    async def test_a_text_of_4097_units_is_refused(self, room: WebRoom, browser: Visit) -> None:
        status, answer = await browser.post(text="👋" * 2048 + "a")
        assert (status, answer["error"]) == (400, "That is too long. Please send it in parts.")
        room.answer = lambda _update, _chat: []
        await browser.say("👋" * 2048)

    async def test_half_a_character_is_refused(self, browser: Visit) -> None:
        payload = f'{{"client_id":"a-random-client-id","chat":"{browser.tag}","text":"\\ud83d"}}'
        headers = {"Content-Type": "application/json"}
        async with browser.http.post("/chat/send", data=payload, headers=headers) as response:
            assert response.status == 400

    async def test_control_and_override_characters_are_taken_out(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await browser.say("a\0b\x1b\u202ec\r\nd")
        assert room.updates[-1].message is not None
        assert room.updates[-1].message.text == "abc\nd"

    async def test_a_body_too_large_is_refused(self, browser: Visit) -> None:
        assert (await browser.post(text="a" * 40_000))[0] == 413

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
        ],
    )
    async def test_another_sites_page_may_not_write(
        self, browser: Visit, headers: dict[str, str]
    ) -> None:
        payload = {"client_id": "a-random-client-id", "chat": browser.tag, "text": "?"}
        async with browser.http.post("/chat/send", json=payload, headers=headers) as response:
            assert response.status == 403

    async def test_an_old_browsers_origin_is_looked_at(self, room: WebRoom) -> None:
        base = room.url.removesuffix("/chat/")
        async with visit(room) as browser:
            del browser.http.headers["Sec-Fetch-Site"]
            payload = {"client_id": "a-random-client-id", "chat": browser.tag, "text": "?"}
            for origin, status in ((base, 200), ("https://evil.example", 403), ("null", 403)):
                headers = {"Origin": origin}
                async with browser.http.post("/chat/send", json=payload, headers=headers) as found:
                    assert found.status == status
            async with browser.http.post("/chat/send", json=payload) as response:
                assert response.status == 403

    async def test_without_a_cookie_nothing_is_taken(self, browser: Visit) -> None:
        browser.http.cookie_jar.clear()
        status, answer = await browser.post(text="hello")
        assert (status, answer["lost"]) == (401, True)

    async def test_a_flood_is_slowed_in_words(self, room: WebRoom, browser: Visit) -> None:
        answers = [await browser.post(text=f"number {number}") for number in range(24)]
        refused = [answer for status, answer in answers if status == 429]
        assert refused
        assert refused[0]["wait"] >= 1
        assert refused[0]["error"].startswith("That was a lot at once")
        async with visit(room) as other:
            await other.say("unhindered")

    async def test_a_place_is_rounded_before_anyone_sees_it(
        self, room: WebRoom, browser: Visit
    ) -> None:
        place = {"latitude": 24.88012, "longitude": 102.83345}
        assert (await browser.post(location=place))[0] == 200
        message = room.updates[-1].message
        assert message is not None
        assert message.location is not None
        assert (message.location.latitude, message.location.longitude) == (24.9, 102.8)
        shown = (await browser.messages())[0]
        assert (shown["kind"], "location" in shown) == ("location", False)

    async def test_where_someone_is_is_not_kept(
        self, room: WebRoom, browser: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await agree(browser)
        sealed: list[str] = []
        seal = Vault.seal

        def note(vault: Vault, column: str, ref: str, text: str) -> bytes:
            sealed.append(text)
            return seal(vault, column, ref, text)

        monkeypatch.setattr(Vault, "seal", note)
        assert (await browser.post(location={"latitude": 24.88, "longitude": 102.83}))[0] == 200
        assert (await browser.messages())[-2]["kind"] == "location"
        async with room.db.read() as tx:
            kept = [
                str(tuple(row))
                for table in Base.metadata.tables.values()
                for row in await tx.execute(select(table))
            ]
        assert sealed
        assert not [text for text in sealed + kept if "24.9" in text or "102.8" in text]


class TestRefused:
    """What a page cannot do is said, never dropped."""

    async def test_methods_it_does_not_carry(self, room: WebRoom, browser: Visit) -> None:
        await browser.say("hello")
        with pytest.raises(TelegramBadRequest, match="SendDice is not supported by the web chat"):
            await room.channel.bot(SendDice(chat_id=room.chat_id))
        with pytest.raises(TelegramBadRequest, match="plain text"):
            await room.channel.bot.send_message(room.chat_id, "<b>?</b>", parse_mode="HTML")
        with pytest.raises(TelegramBadRequest, match="message_thread_id is not supported"):
            await room.channel.bot.send_message(room.chat_id, "?", message_thread_id=5)

    @pytest.mark.parametrize(
        "button",
        [
            InlineKeyboardButton(text="?", switch_inline_query="a"),
            InlineKeyboardButton(text="?", url="javascript:alert(1)"),
            InlineKeyboardButton(text="?"),
            InlineKeyboardButton(text=" ", callback_data="a"),
            InlineKeyboardButton(text="?", callback_data=""),
        ],
    )
    async def test_buttons_it_cannot_show(
        self, room: WebRoom, browser: Visit, button: InlineKeyboardButton
    ) -> None:
        await browser.say("hello")
        markup = InlineKeyboardMarkup(inline_keyboard=[[button]])
        with pytest.raises(TelegramBadRequest):
            await room.channel.bot.send_message(room.chat_id, "?", reply_markup=markup)

    async def test_a_database_out_of_reach_is_worth_another_try(
        self, room: WebRoom, browser: Visit, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await browser.say("hello")

        def away(*_: object) -> None:
            raise OperationalError("BEGIN", {}, OSError("locked"))

        monkeypatch.setattr(room.db, "write", away)
        with pytest.raises(TelegramServerError):
            await room.channel.bot(SendMessage(chat_id=room.chat_id, text="?"))
        monkeypatch.setattr(room.db, "read", away)
        assert (await browser.post(text="hello"))[0] == 503
        async with browser.http.get("/chat/") as response:
            assert response.status == 503
            assert "tried again" in await response.text()
