"""The console in a real browser: live, narrow, readable, and within its own policy."""

import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)
from sqlalchemy import func, select, update

from handlers.console import LiveFeed, console_app
from locales.catalogs import Catalogs
from storage.database import Database
from storage.models import Delivery, Installation, Person
from storage.outbox.broadcasts import plan_broadcast
from storage.people.logins import make_login_link
from tests.console_county import County, add_contact, make_county

CHROMIUM = os.environ.get("KINROOM_TEST_CHROMIUM") or shutil.which("chromium")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="NO CHROMIUM: the console was not tried in a browser"
)

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}


@dataclass
class Room:
    """A running console, and a way into it."""

    db: Database
    county: County
    server: BaseTestServer
    browser: Browser

    def url(self, path: str) -> str:
        return str(self.server.make_url(path))

    async def link(self, person_id: int) -> str:
        async with self.db.write() as tx:
            token = await make_login_link(tx, person_id, datetime.now(UTC))
        return f"{self.url('/console/enter')}#{token}"

    async def enter(self, page: Page, person_id: int) -> None:
        await page.goto(await self.link(person_id))
        await page.wait_for_selector("#sheet")


@pytest.fixture
async def room(sqlite_db: Database) -> AsyncIterator[Room]:
    started = datetime.now(UTC)
    county = await make_county(sqlite_db, started, workers=8)
    async with sqlite_db.write() as tx:
        await tx.execute(tx.insert(Installation).values(key="demo", value="1"))
        await tx.execute(update(Person).where(Person.is_officer).values(language="en"))
    app = web.Application()
    live = LiveFeed(sqlite_db)
    console = console_app(
        sqlite_db, Catalogs(), secure=False, clock=lambda: datetime.now(UTC), live=live
    )
    app.add_subapp("/console/", console)
    async with TestServer(app) as server, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield Room(sqlite_db, county, server, browser)
        await browser.close()


@pytest.fixture
async def page(room: Room) -> AsyncIterator[Page]:
    context = await room.browser.new_context(viewport=DESK, locale="en")
    page = await context.new_page()
    problems: list[str] = []

    def keep(said: ConsoleMessage) -> None:
        # A refusal (401, 403) is told by Chromium as a resource that failed to load.
        if "Failed to load resource" not in said.text:
            problems.append(said.text)

    def keep_host(request: Request) -> None:
        hosts.add(re.sub(r"^(\w+://[^/]+).*", r"\1", request.url))

    page.on("console", keep)
    page.on("pageerror", lambda error: problems.append(str(error)))
    hosts: set[str] = set()
    page.on("request", keep_host)
    yield page
    await context.close()
    assert not problems, "the page's console must stay silent: no violation of the policy either"
    assert hosts <= {room.url("").rstrip("/")}


async def test_a_contact_shows_within_two_seconds_without_a_reload(room: Room, page: Page) -> None:
    village, silent = room.county.areas["east"], room.county.workers["east"][0]
    await page.set_viewport_size({"width": 900, "height": 420})
    await room.enter(page, room.county.liaison)
    assert "#" not in page.url
    await expect(page.locator("#live")).to_have_class(re.compile(r"\bon\b"))
    await page.evaluate("window.kept = true; document.getElementById('box').scrollTop = 30")
    before = int(await page.inner_text("[data-key=count-heard]"))
    async with room.db.write() as tx:
        await add_contact(tx, silent, village, datetime.now(UTC), "heard")
    await expect(page.locator("[data-key=count-heard]")).to_have_text(str(before + 1), timeout=2000)
    assert await page.evaluate("window.kept"), "the page was loaded anew"
    await expect(page.locator("#told")).to_contain_text("The register changed")
    assert await page.evaluate("document.getElementById('box').scrollTop") == 30
    await expect(page.locator("[data-key=count-heard].changed")).to_have_count(1)
    await expect(page.locator("td.heard.changed")).to_have_count(1)
    await expect(page.locator(".changed")).to_have_count(0, timeout=5000)


async def test_an_ended_session_closes_the_open_page(
    room: Room, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.console.stream.HEARTBEAT", 0.3)
    await room.enter(page, room.county.liaison)
    other = await page.context.new_page()
    await other.goto(room.url("/console/"))
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.locator("h1")).to_have_text("You are signed out")
    await other.close()
    await expect(page.locator("h1")).to_have_text("You are signed out")


async def test_a_used_link_says_so(room: Room, page: Page) -> None:
    link = await room.link(room.county.liaison)
    await page.goto(link)
    await page.wait_for_selector("#sheet")
    await page.goto("about:blank")
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("This link has been used")


async def test_without_scripts_the_code_is_pasted_and_a_link_reloads(room: Room) -> None:
    context = await room.browser.new_context(java_script_enabled=False, locale="en")
    page = await context.new_page()
    link = await room.link(room.county.liaison)
    await page.goto(link)
    await page.get_by_label("Paste the link").fill(link)
    await page.get_by_role("button", name="Open the console").click()
    await page.get_by_role("link", name="Look again").click()
    await expect(page.locator("#sheet")).to_be_visible()
    await context.close()


WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_phone_never_scrolls_sideways(room: Room, page: Page, language: str) -> None:
    await page.set_viewport_size(PHONE)
    await room.enter(page, room.county.supervisor)
    for path in (
        f"/console/?lang={language}",
        "/console/?show=expected",
        "/console/?period=2026-10",
        "/console/?area=hill",
        "/console/enter",
    ):
        await page.goto(room.url(path))
        assert await page.evaluate(WIDER) <= 0, path
        if await page.locator(".box").count():
            await page.locator(".areas summary").click()
            assert await page.evaluate(WIDER) <= 0, f"{path} with the areas open"
    await page.goto(room.url("/console/"))
    box = await page.evaluate(
        "(({scrollWidth, clientWidth, scrollLeft}) => [scrollWidth, clientWidth, scrollLeft])"
        "(document.getElementById('box'))"
    )
    assert box[2] == box[0] - box[1], "the newest week is what is in sight"
    await page.locator(".cells a").first.click()
    await page.wait_for_selector(".trail, .proof")
    assert await page.evaluate(WIDER) <= 0


CONTRASTS = """
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const linear = [r, g, b].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).colorScheme);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest(".vh, .skip, .none[aria-hidden]")) continue;
    const style = getComputedStyle(element);
    const ink = rgba(element.closest("svg") ? style.fill : style.color);
    const [a, b] = [light(ink), light(ground(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), parseFloat(style.fontSize),
      `${element.tagName}.${element.className} ${walker.currentNode.textContent.trim()}`]);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_word_can_be_read(room: Room, page: Page, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme)
    await room.enter(page, room.county.supervisor)
    for path in ("/console/?show=expected", "/console/?area=hill", "/console/enter"):
        await page.goto(room.url(path))
        words = await page.evaluate(CONTRASTS)
        assert len(words) > 5
        assert [word for word in words if word[0] < 4.5] == []
        assert [word for word in words if word[1] < 14] == []


async def test_the_demo_is_marked_and_paper_has_letters(room: Room, page: Page) -> None:
    await room.enter(page, room.county.liaison)
    await expect(page.get_by_role("note")).to_contain_text("Demo")
    letter = page.locator(".cells td.silent .letter").first
    await expect(letter).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(letter).to_be_visible()
    await expect(page.get_by_role("note")).to_be_visible()


async def test_a_screen_reader_hears_each_cell_in_words(room: Room, page: Page) -> None:
    await room.enter(page, room.county.liaison)
    grid = page.get_by_role("region", name="Who, week by week")
    await expect(grid.get_by_role("rowheader").first).to_be_visible()
    await expect(grid.get_by_role("cell", name="Silent: asked, no reply yet").first).to_be_visible()
    assert await page.locator(".cells tbody td:not(:has(.vh))").count() == 0
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()


async def test_each_week_stands_above_its_cells(room: Room, page: Page) -> None:
    await room.enter(page, room.county.liaison)
    lefts = "cells => cells.map(cell => Math.round(cell.getBoundingClientRect().left))"
    weeks = await page.locator(".cells .days > *").evaluate_all(lefts)
    cells = await page.locator(".cells tbody tr:first-child > *").evaluate_all(lefts)
    assert weeks == cells == sorted(set(cells))


async def test_the_areas_zone_rules_wherever_the_officer_is(room: Room) -> None:
    seen = set()
    for zone in ("America/New_York", "Asia/Shanghai"):
        context: BrowserContext = await room.browser.new_context(timezone_id=zone, locale="en")
        page = await context.new_page()
        await room.enter(page, room.county.liaison)
        seen.add(await page.inner_text(".when .span"))
        await context.close()
    assert len(seen) == 1


async def _send(room: Room) -> int:
    async with room.db.write() as tx:
        planned = await plan_broadcast(
            tx,
            area=room.county.areas["he"],
            text="村卫生室周六上午免费体检，带上身份证。" * 8,
            language=None,
            by=room.county.liaison,
            now=datetime.now(UTC),
        )
        first = select(func.min(Delivery.id)).scalar_subquery()
        await tx.execute(
            update(Delivery)
            .where(Delivery.id == first)
            .values(state="failed", reason="blocked", finished_at=datetime.now(UTC))
        )
    return planned.id


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_notice_is_readable_on_a_phone_and_live(
    room: Room, page: Page, scheme: Any
) -> None:
    sent = await _send(room)
    await page.set_viewport_size(PHONE)
    await page.emulate_media(color_scheme=scheme)
    await room.enter(page, room.county.supervisor)
    for path in ("/console/notices?lang=zh", f"/console/notices/{sent}?show=failed&lang=en"):
        await page.goto(room.url(path))
        assert await page.evaluate(WIDER) <= 0, path
        words = await page.evaluate(CONTRASTS)
        assert [word for word in words if word[0] < 4.5 or word[1] < 14] == []
    await page.locator(".stop summary").click()
    async with room.db.write() as tx:
        last = select(func.max(Delivery.id)).scalar_subquery()
        await tx.execute(
            update(Delivery)
            .where(Delivery.id == last)
            .values(state="sent", finished_at=datetime.now(UTC))
        )
    await expect(page.locator("[data-key=count-sent]")).to_have_text("1", timeout=4000)
    await expect(page.locator("#told")).to_contain_text("The notice went on. 1 have it.")
    await page.get_by_role("button", name="Yes, stop this notice").click()  # it stayed open
    await expect(page.locator("[data-key=state]")).to_have_text("stopped")
