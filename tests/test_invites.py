"""Invites: the name in one lasts no longer than the link."""

from datetime import datetime, timedelta

from sqlalchemy import select

from scheduler.expiry import end_what_is_over
from storage.database import Database
from storage.models import Invite
from storage.people.invites import BadInvite, check_invite, make_invite, use_invite
from tests.county import make_area


async def _invite(db: Database, now: datetime, *, uses: int | None, days: int | None) -> str:
    async with db.write() as tx:
        area = await make_area(tx, f"elm{uses}{days}", now)
        return await make_invite(
            tx,
            kind="officer",
            area_id=area.id,
            role="liaison",
            name="Mei",
            uses=uses,
            expires_at=None if days is None else now + timedelta(days=days),
            by=None,
            now=now,
        )


async def _use(db: Database, token: str, now: datetime) -> str | None:
    """The name in the invite, of which one use is taken; None when it lets nobody in."""
    async with db.write() as tx:
        try:
            found = await check_invite(tx, token, now)
        except BadInvite:
            return None
        assert await use_invite(tx, found.id)
        return found.name


async def _names(db: Database) -> int:
    async with db.read() as tx:
        found = await tx.execute(select(Invite.id).where(Invite.name.is_not(None)))
        return len(found.all())


async def test_the_name_goes_with_the_last_use(db: Database, now: datetime) -> None:
    twice = await _invite(db, now, uses=2, days=None)
    assert await _use(db, twice, now) == "Mei"
    assert await _names(db) == 1
    assert await _use(db, twice, now) == "Mei"
    assert await _names(db) == 0
    assert await _use(db, twice, now) is None
    always = await _invite(db, now, uses=None, days=None)
    assert await _use(db, always, now) == "Mei"
    assert await _use(db, always, now) == "Mei"


async def test_the_name_goes_when_the_link_runs_out(db: Database, now: datetime) -> None:
    await _invite(db, now, uses=1, days=1)
    await _invite(db, now, uses=None, days=9)
    await _invite(db, now, uses=1, days=None)
    later = now + timedelta(days=1)
    assert (await end_what_is_over(db, later - timedelta(minutes=1), []))["unnamed"] == 0
    assert (await end_what_is_over(db, later, []))["unnamed"] == 1
    assert (await end_what_is_over(db, later, []))["unnamed"] == 0
    assert await _names(db) == 2
