"""The chat page as it is served: its policy, its weight, its words."""

import pytest
from sqlalchemy import update

from bot.channels.web.words import pick_language
from storage.models import Base
from tests import web_fixtures
from tests.web_browser import Visit, visit
from tests.web_fixtures import agree
from tests.web_room import WebRoom

room, browser = web_fixtures.room, web_fixtures.browser


class TestThePage:
    async def test_its_policy_allows_nothing_inline_and_nothing_foreign(
        self, browser: Visit
    ) -> None:
        async with browser.http.get("/chat/") as response:
            policy = response.headers["Content-Security-Policy"]
            page = await response.text()
        assert "unsafe" not in policy
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
            assert rule in policy
        assert "http://" not in page
        assert "https://" not in page
        assert " style=" not in page
        assert " onclick" not in page

    async def test_its_cookie_is_closed_to_scripts_and_other_sites(self, room: WebRoom) -> None:
        async with visit(room) as browser:
            browser.http.cookie_jar.clear()
            async with browser.http.get("/chat/") as response:
                cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("kinroom_chat=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie

    async def test_with_tls_the_cookie_is_bound_to_the_host(
        self, room: WebRoom, browser: Visit
    ) -> None:
        room.channel.visitors._secure = True
        async with browser.http.get("/chat/") as response:
            cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-kinroom_chat=")
        assert "Secure" in cookie

    async def test_first_load_is_small(self, browser: Visit) -> None:
        page = await browser.open()
        total = 0
        addresses = {part.partition('"')[0] for part in page.split('="/chat/static/')[1:]}
        assert len(addresses) >= 14
        for address in ["/chat/", *(f"/chat/static/{address}" for address in addresses)]:
            headers = {"Accept-Encoding": "gzip"}
            async with browser.http.get(address, headers=headers) as response:
                assert response.status == 200
                total += int(response.headers["Content-Length"])
        assert total <= 30_000

    async def test_without_scripts_it_says_so(self, browser: Visit) -> None:
        assert "<noscript><p" in await browser.open()

    async def test_its_parts_are_kept_by_the_browser(self, browser: Visit) -> None:
        page = await browser.open()
        address = "/chat/static/" + page.partition('src="/chat/static/')[2].partition('"')[0]
        async with browser.http.get(address) as response:
            assert "immutable" in response.headers["Cache-Control"]
            tag = response.headers["ETag"]
        async with browser.http.get(address, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        async with browser.http.get("/chat/static/old-build/main.js") as response:
            assert (response.status, response.headers["Cache-Control"]) == (200, "no-cache")
        async with browser.http.get("/chat/static/old-build/chat.html") as response:
            assert response.status == 404

    async def test_nothing_in_the_setup_can_end_it(self, room: WebRoom, browser: Visit) -> None:
        await agree(browser)
        async with room.db.write() as tx:
            evil = "</script><script>alert(1)</script>"
            await tx.execute(update(Base.metadata.tables["area"]).values(name=evil))
        page = await browser.open()
        assert "<script>alert" not in page
        assert browser.setup["room"]["name"] == evil

    @pytest.mark.parametrize(
        ("accept", "language"),
        [
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
            ("zh-hant-TW", "zh"),
            ("en-GB", "en"),
            ("fr-FR,zh;q=0.3", "zh"),
            ("fr", "en"),
            ("en;q=0.1,zh;q=0.9", "zh"),
            ("en;q=x, zh", "zh"),
            ("*", "zh"),
            ("", "zh"),
            (None, "zh"),
        ],
    )
    async def test_it_speaks_the_browsers_language(self, accept: str | None, language: str) -> None:
        assert pick_language(accept) == language

    async def test_words_can_be_had_in_another(self, browser: Visit) -> None:
        async with browser.http.get("/chat/strings?lang=zh") as response:
            found = await response.json()
        assert found["language"] == "zh"
        assert found["words"].keys() == browser.setup["words"].keys()
