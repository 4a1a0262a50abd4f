"""A browser on the web chat, without its page: what the page's scripts would send and read."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.town import eventually

Bubble = dict[str, Any]


@dataclass
class Visitor:
    """``url`` is the service's address; ``chat`` names the conversation that the browser holds."""

    url: str
    browser: aiohttp.ClientSession
    chat: str = ""
    _heard: int = 0

    async def open(self) -> None:
        """Load the page."""
        async with self.browser.get(f"{self.url}/chat/") as page:
            found = re.search(r'"chat":"([^"]+)"', await page.text())
        assert found is not None
        self.chat = found[1]

    async def write(self, text: str, client_id: str | None = None) -> int:
        """Send; the answer's status, after what was sent has had its effect."""
        return await self._post({"text": text}, client_id)

    async def tap(self, bubble: Bubble, begins: str) -> int:
        """Tap the button whose data begin so."""
        for row in bubble["inline"]:
            for button in row:
                if button.get("data", "").startswith(begins):
                    tapped = {"message_id": bubble["id"], "data": button["data"]}
                    return await self._post({"tap": tapped})
        raise LookupError(f"no button {begins!r}… under {bubble}")

    async def share_place(self, latitude: float, longitude: float) -> int:
        return await self._post({"location": {"latitude": latitude, "longitude": longitude}})

    async def heard(self, n: int = 1) -> list[Bubble]:
        """The next ``n`` bubbles of the bot, as soon as they are there."""

        async def look() -> list[Bubble]:
            new = [b for b in await self.history() if b["id"] > self._heard and not b.get("me")]
            return new[:n] if len(new) >= n else []

        found = await eventually(look)
        self._heard = found[-1]["id"]
        return found

    async def becomes(self, bubble: Bubble) -> Bubble:
        """The bubble, once it has another text."""

        async def look() -> Bubble | None:
            for now in await self.history():
                if now["id"] == bubble["id"] and now.get("text") != bubble["text"]:
                    return now
            return None

        changed = await eventually(look)
        assert changed is not None
        return changed

    async def history(self) -> list[Bubble]:
        """Everything that stands in the chat, oldest first."""
        bubbles: list[Bubble] = []
        before, more = 1_000_000, True
        while more:
            asked = {"before": str(before), "chat": self.chat}
            async with self.browser.get(f"{self.url}/chat/history", params=asked) as answer:
                assert answer.status == 200, await answer.text()
                found = await answer.json()
            bubbles = found["messages"] + bubbles
            more = found["more"]
            before = min((bubble["id"] for bubble in bubbles), default=0)
        return bubbles

    async def _post(self, said: dict[str, Any], client_id: str | None = None) -> int:
        said |= {"client_id": client_id or secrets.token_urlsafe(16), "chat": self.chat}
        headers = {"Origin": self.url}
        async with self.browser.post(f"{self.url}/chat/send", json=said, headers=headers) as done:
            return done.status


def cookies() -> aiohttp.CookieJar:
    """A jar that keeps the cookies of an address without a name, as browsers do."""
    return aiohttp.CookieJar(unsafe=True)
