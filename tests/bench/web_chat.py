"""The web chat in a real browser: from the tap to the receipt on the screen."""

import asyncio
import os
import re
import shutil
import statistics
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright
from sqlalchemy import select

from bot.demo.county import demo_tokens
from storage.database import Database, Tx
from storage.models import Checkin, Invite, Person
from storage.outbox.messages import CHECKIN, enqueue
from storage.vault import Vault
from tests.bench.databases import SECRET_KEY
from tests.bench.figure import Figure
from tests.bench.service import Running, demo_folder, run_service

_CHECKINS = 20
_REPORTS = 30
_MOST = 150.0
_PAUSE = 1.1
"""Seconds between taps: the chat lets a person write once a second."""

# Both clocks are the page's own: the finger goes down, and the receipt stands in the document.
_WATCH = """
window.taps = [];
let down = 0;
let shown = new Set(document.querySelectorAll("#log .msg.bot"));
addEventListener("pointerdown", () => { down = performance.now(); }, { capture: true });
new MutationObserver(() => {
  const bubbles = [...document.querySelectorAll("#log .msg.bot")];
  const fresh = bubbles.some((bubble) => !shown.has(bubble));
  shown = new Set(bubbles);
  if (!fresh || !down) return;
  window.taps.push(performance.now() - down);
  down = 0;
}).observe(document.getElementById("log"), { childList: true, subtree: true });
"""
_FETCH = """async () => {
  const started = performance.now();
  await (await fetch("/healthz")).text();
  return performance.now() - started;
}"""


async def measure() -> list[Figure]:
    chromium = os.environ.get("KINROOM_TEST_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("NO CHROMIUM: the web chat was not measured", file=sys.stderr)  # noqa: T201
        return []
    with demo_folder() as folder, run_service(folder) as service:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox"]
            )
            page = await browser.new_page(viewport={"width": 360, "height": 740})
            await page.goto(_worker_link(service))
            await page.locator("#ask-open").click()
            await page.locator("#keyboard button").first.wait_for()
            await page.evaluate(_WATCH)
            floor = [await page.evaluate(_FETCH) for _ in range(_REPORTS)]
            reports = await _report(page)
            answers = await _answer(page, folder)
            await browser.close()
    return [_judge(reports, answers, floor)]


async def _report(page: Page) -> list[float]:
    """Taps on the menu's first button, "I'm fine"."""
    button = page.locator("#keyboard button").first
    for _ in range(_REPORTS):
        await button.click()
        await asyncio.sleep(_PAUSE)
    return await _taken(page, _REPORTS)


async def _answer(page: Page, folder: Path) -> list[float]:
    """Taps on the first answer of check-ins that are delivered one by one."""
    db = Database(f"sqlite+aiosqlite:///{folder}/var/kinroom.db", Vault(SECRET_KEY))
    # The chat's own: until it is answered, no further one is asked.
    open_ones = page.locator(".msg.bot:has(.buttons)")
    try:
        person_id = await _worker(db)
        for _ in range(_CHECKINS):
            if not await open_ones.count():
                async with db.write() as tx:
                    await _ask(tx, person_id, datetime.now(UTC))
            button = open_ones.last.locator(".button").first
            await button.wait_for()
            await asyncio.sleep(_PAUSE)
            await page.evaluate("down = 0")
            await button.click()
            await open_ones.first.wait_for(state="detached")
    finally:
        await db.close()
    return await _taken(page, _CHECKINS)


async def _taken(page: Page, count: int) -> list[float]:
    await page.wait_for_function("count => taps.length >= count", arg=count)
    taps: list[float] = await page.evaluate("taps.splice(0)")
    return taps


async def _worker(db: Database) -> int:
    async with db.read() as tx:
        tokens = await demo_tokens(tx)
        assert tokens is not None
        key = tx.vault.lookup("invite", tokens.worker)
        return int(await tx.scalar(select(Invite.person_id).where(Invite.token_key == key)))


async def _ask(tx: Tx, person_id: int, now: datetime) -> None:
    closes = now + timedelta(hours=48)
    area_id = await tx.scalar(select(Person.area_id).where(Person.id == person_id))
    checkin_id: int = await tx.scalar(
        tx.insert(Checkin)
        .values(
            person_id=person_id,
            area_id=area_id,
            slot=f"bench:{now:%H%M%S.%f}",
            due_at=now,
            window_until=closes,
        )
        .returning(Checkin.id)
    )
    await enqueue(
        tx,
        person_id=person_id,
        template="checkin",
        priority=CHECKIN,
        urgent=True,
        dedupe_key=f"bench:{checkin_id}",
        checkin_id=checkin_id,
        not_before=now,
        expires_at=closes,
        now=now,
    )


def _worker_link(service: Running) -> str:
    found = re.search(r"a worker's chat +(\S+)", service.log.read_text("utf-8"))
    if found is None:
        raise RuntimeError("the service printed no link to a worker's chat")
    return found[1]


def _judge(reports: list[float], answers: list[float], floor: list[float]) -> Figure:
    slow, bare = _p95(reports + answers), _p95(floor)
    return Figure(
        f"web chat, tap to receipt, p95 of {len(reports + answers)} (floor: a bare fetch)",
        "ms",
        slow,
        bare,
        bare / slow,
        bound=f"≤ {_MOST:g} ms",
        reached=slow <= _MOST,
        note=f"median {statistics.median(reports):.0f} after the menu's button,"
        f" {statistics.median(answers):.0f} after a check-in's",
    )


def _p95(values: list[Any]) -> float:
    return float(statistics.quantiles(values, n=20)[-1])
