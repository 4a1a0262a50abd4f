"""Rules in a real browser: one is changed on a phone, looked at first, and readable throughout."""

import os
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect
from sqlalchemy import select

from storage.calendar.recurrence import Weeks
from storage.models import Person
from storage.rules.kept import add_rule, find_rule
from storage.rules.terms import CheckinTerms
from tests.test_console_browser import CONTRASTS, DESK, PHONE, WIDER, Room, page, pytestmark, room

__all__ = ["page", "pytestmark", "room"]  # fixtures, and the word on a missing browser

PICTURES = os.environ.get("KINROOM_TEST_PICTURES")


async def _look_at(room: Room, page: Page, name: str, path: str) -> None:
    """Nothing runs over the edge, everything can be read; a picture where one is asked for."""
    for language in ("zh", "en"):
        for size, view in (("phone", PHONE), ("desk", DESK)):
            await page.set_viewport_size(view)
            await page.goto(room.url(f"{path}{'&' if '?' in path else '?'}lang={language}"))
            assert await page.evaluate(WIDER) <= 0, (path, language, size)
            if PICTURES:
                file = f"{PICTURES}/{name}-{size}-{language}.png"
                await page.screenshot(path=file, full_page=True)
    words = await page.evaluate(CONTRASTS)
    assert [word for word in words if word[0] < 4.5 or word[1] < 14] == [], path


async def test_a_rule_is_changed_looked_at_first_and_kept(room: Room, page: Page) -> None:
    now = datetime.now(UTC)
    async with room.db.write() as tx:
        terms = CheckinTerms("weekly", Weeks(1, (6,)))
        kept = await add_rule(tx, room.county.areas["nan"], terms, now - timedelta(days=30))
        worker = room.county.workers["east"][0]
        ref = await tx.scalar(select(Person.ref).where(Person.id == worker))
    await page.set_viewport_size(PHONE)
    await room.enter(page, room.county.supervisor)
    for name, path in (
        ("rules", "/console/rules?area=east"),
        ("rule", f"/console/rules/{kept.id}"),
        ("edit", f"/console/rules/{kept.id}/edit"),
        ("reminder", "/console/rules/new?area=east&kind=reminder"),
        ("agenda", "/console/agenda?area=east"),
        ("why", f"/console/person/{ref}?day={now.date()}"),
    ):
        await _look_at(room, page, name, path)
    await page.set_viewport_size(PHONE)
    await page.goto(room.url("/console/rules?area=nan&lang=en"))
    await page.get_by_role("link", name="Every week on Sunday").click()
    await page.get_by_role("link", name="Change it").click()
    await page.get_by_label("At", exact=True).fill("23:00")
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.get_by_role("alert")).to_contain_text("look at what is marked")
    await expect(page.get_by_text("nobody is written to at night")).to_be_visible()
    await page.get_by_label("At", exact=True).fill("18:30")
    await page.get_by_role("radio", name="Every so many weeks, on weekdays").check()
    await page.get_by_label("Every how many weeks").fill("2")
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.locator("#preview")).to_contain_text("Every 2 weeks on Sunday, at 18:30")
    await expect(page.locator("#preview")).to_contain_text("people next on Sun")
    if PICTURES:
        await page.screenshot(path=f"{PICTURES}/preview-phone-en.png", full_page=True)
    await page.get_by_role("button", name="Keep it so").click()
    await expect(page.get_by_text("Version 2")).to_be_visible()
    async with room.db.read() as tx:
        rule = await find_rule(tx, room.county.areas["nan"], "weekly")
    assert (rule.version, rule.terms.when, rule.terms.hours.at.hour) == (2, Weeks(2, (6,)), 18)
