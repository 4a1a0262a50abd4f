"""A browser without a screen: what the page's scripts do, in Python."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.web_room import WebRoom


@dataclass
class Visit:
    """One browser with its cookie. ``seat`` and ``tag`` are of the page opened last."""

    http: aiohttp.ClientSession
    seat: str = "1"
    tag: str = ""
    setup: dict[str, Any] = field(default_factory=dict)
    numbers: int = 0

    async def open(self, query: str = "") -> str:
        async with self.http.get(f"/chat/{query}") as response:
            assert response.status == 200
            page = await response.text()
        setup = page.partition('id="setup">')[2].partition("</script>")[0]
        self.setup = json.loads(setup)
        self.seat, self.tag = self.setup["seat"], self.setup["chat"]
        return page

    async def post(self, **what: Any) -> tuple[int, dict[str, Any]]:
        """``client_id`` is a new one unless given."""
        payload = {"client_id": self.client_id(), "chat": self.tag, **what}
        async with self.http.post("/chat/send", params={"seat": self.seat}, json=payload) as answer:
            return answer.status, await answer.json()

    async def ask_whose(self, token: str) -> tuple[int, dict[str, Any]]:
        """Whose conversation a device link opens, as the page asks it."""
        payload = {"chat": self.tag, "token": token}
        async with self.http.post(
            "/chat/device", params={"seat": self.seat}, json=payload
        ) as answer:
            return answer.status, await answer.json()

    async def upload(self, content: bytes, kind: str = "document", **query: str) -> tuple[int, Any]:
        params = {"seat": self.seat, "chat": self.tag, "client_id": self.client_id(), "kind": kind}
        async with self.http.post(
            "/chat/upload", params=params | query, data=io.BytesIO(content)
        ) as answer:
            return answer.status, await answer.json()

    async def say(self, text: str) -> None:
        status, answer = await self.post(text=text)
        assert (status, answer["ok"]) == (200, True), answer

    def client_id(self) -> str:
        self.numbers += 1
        return f"{id(self):020d}-{self.numbers}"

    @asynccontextmanager
    async def stream(self, since: str = "") -> AsyncIterator["Stream"]:
        params = {"seat": self.seat, "chat": self.tag, "since": since}
        async with self.http.get("/chat/events", params=params) as response:
            assert response.content_type == "text/event-stream"
            yield Stream(response)

    async def messages(self) -> list[dict[str, Any]]:
        """What a page opened now would show."""
        async with self.stream() as stream:
            shown: list[dict[str, Any]] = (await stream.until("news"))["messages"]
            return shown

    async def texts(self) -> list[str]:
        return [message["text"] for message in await self.messages()]


class Stream:
    """The page's event stream; ``last_id`` is what it would resume after."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.last_id = ""

    async def next(self) -> tuple[str, dict[str, Any]]:
        event, data = "", ""
        async with asyncio.timeout(5):
            while True:
                line = (await self._response.content.readline()).decode().rstrip("\n")
                if not line:
                    if event:
                        return event, json.loads(data)
                    if self._response.content.at_eof():
                        raise EOFError
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                elif name == "id":
                    self.last_id = value
                elif name == "data":
                    data = value

    async def until(self, wanted: str) -> dict[str, Any]:
        """The data of the next event of this name."""
        while True:
            event, data = await self.next()
            if event == wanted:
                return data


@asynccontextmanager
async def visit(room: WebRoom, **headers: str) -> AsyncIterator[Visit]:
    """A browser of its own, on the page."""
    base = room.url.removesuffix("/chat/")
    jar = aiohttp.CookieJar(unsafe=True)
    ours = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"} | headers
    async with aiohttp.ClientSession(base, cookie_jar=jar, headers=ours) as http:
        browser = Visit(http)
        await browser.open()
        yield browser
