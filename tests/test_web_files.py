"""Photos, voices and documents of a web chat."""

from sqlalchemy import select

from bot.channels.web.pictures import measure, tell_mime
from storage.models import WebFile
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import PNG, agree, rows
from tests.web_room import WebRoom

room, browser = web_fixtures.room, web_fixtures.browser


class TestFiles:
    async def test_a_photo_is_kept_sealed_and_shown_to_its_own_only(
        self, room: WebRoom, browser: Visit
    ) -> None:
        await agree(browser)
        assert await browser.upload(PNG, "photo", name="../a<b>.png") == (
            200,
            {"ok": True, "shown": True},
        )
        update_ = room.updates[-1]
        assert update_.message is not None
        assert update_.message.photo is not None
        assert (update_.message.photo[0].width, update_.message.photo[0].height) == (7, 5)
        mine = (await browser.messages())[-2]
        ref = mine["file"]["ref"]
        async with browser.http.get(f"/chat/file/{ref}") as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert await response.read() == PNG
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Content-Disposition"].startswith("inline")
            assert "sandbox" in response.headers["Content-Security-Policy"]
        async with room.db.read() as tx:
            content = await tx.scalar(select(WebFile.content))
        assert PNG not in content
        async with visit(room) as other, other.http.get(f"/chat/file/{ref}") as response:
            assert response.status == 404

    async def test_what_could_run_is_only_saved(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        page = b"<html><script>alert(1)</script>"
        assert (await browser.upload(page, "photo", name="a.html"))[0] == 200
        mine = (await browser.messages())[-2]
        assert mine["kind"] == "document"
        async with browser.http.get(f"/chat/file/{mine['file']['ref']}") as response:
            assert response.content_type == "application/octet-stream"
            assert response.headers["Content-Disposition"].startswith("attachment")

    async def test_sound_is_served_in_parts(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        sound = b"OggS" + bytes(range(96))
        await browser.upload(sound, "voice", seconds="4")
        mine = (await browser.messages())[-2]
        assert mine["file"]["duration"] == 4
        address = f"/chat/file/{mine['file']['ref']}"
        async with browser.http.get(address, headers={"Range": "bytes=10-19"}) as response:
            assert response.status == 206
            assert response.headers["Content-Range"] == "bytes 10-19/100"
            assert await response.read() == sound[10:20]
        async with browser.http.get(address, headers={"Range": "bytes=500-"}) as response:
            assert response.status == 416

    async def test_eleven_megabytes_are_too_many(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        status, answer = await browser.upload(bytes(10 * 1024 * 1024 + 1))
        assert status == 413
        assert "10 MB" in answer["error"]
        assert "web_file" not in await rows(room.db)

    async def test_they_go_with_the_person(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        await browser.upload(PNG, "photo")
        await browser.say("erase")
        assert "web_file" not in await rows(room.db)

    async def test_first_bytes_tell_what_it_is(self) -> None:
        assert tell_mime(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp"
        assert tell_mime(b"\0\0\0\x20ftypM4A ") == "audio/mp4"
        assert tell_mime(b"<svg xmlns") == "application/octet-stream"
        jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x05\x00\x07\x03" + bytes(9)
        assert measure(jpeg) == (7, 5)
        assert measure(b"\xff\xd8\xff") == (0, 0)
