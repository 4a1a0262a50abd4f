"""What goes wrong with a broadcast ends in a named state, with a reason that can be read."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, String, cast, insert, literal, select, update

from handlers.reasons import reason_words
from locales.catalogs import Catalogs
from scheduler import reasons
from scheduler.expansion import carry_on
from scheduler.expiry import end_what_is_over
from storage.backup import restored
from storage.database import Database
from storage.models import Account, Checkin, Delivery
from storage.outbox import running_broadcasts
from storage.outbox.audience import OF_USE_FOR
from storage.outbox.broadcasts import find_broadcast, plan_broadcast
from storage.outbox.messages import settle_laneless
from storage.outbox.past import MOVED_AFTER, find_finished, move_finished
from storage.outbox.recipients import MISSED, count_recipients, list_recipients
from storage.people.areas import find_area
from storage.rhythm.checkins import enqueue_checkins
from storage.rhythm.rollcalls import plan_rollcall
from tests.outbox_people import LANE, make_area, make_person

HOUR = timedelta(hours=1)
ELSEWHERE = 987


async def test_no_account_fails_and_an_unknown_channel_waits_then_expires(
    db: Database, now: datetime
) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        for name, where in (("reached", LANE), ("unknown", ELSEWHERE)):
            await make_person(tx, now, area=area, name=name, bot_id=where)
        await make_person(tx, now, area=area, name="nowhere", chat_id=0)
        await make_person(tx, now, area=area, name="blocked", account_state="blocked")
        planned = await plan_broadcast(tx, area=area, text="体检", language=None, by=None, now=now)
        assert planned.count == 4
        assert await settle_laneless(tx, now, [LANE]) == 2
    await end_what_is_over(db, now + HOUR, [LANE])
    async with db.read() as tx:
        waiting = await list_recipients(tx, None, planned.id, ["waiting"], limit=9)
    assert [(one.name, one.reason) for one in waiting] == [
        ("reached", None),
        ("unknown", "waits for its channel"),
    ]
    async with db.write() as tx:  # the rest goes on
        await tx.execute(
            update(Delivery).where(Delivery.lane == LANE).values(state="sent", finished_at=now)
        )
    assert (await carry_on(db, lambda: now)).ended == 0
    late = now + OF_USE_FOR + HOUR
    await end_what_is_over(db, late, [LANE])
    assert (await carry_on(db, lambda: late)).ended == 1
    async with db.read() as tx:
        over = await find_broadcast(tx, planned.id)
        assert over is not None
        figures = await count_recipients(tx, over)
        missed = await list_recipients(tx, None, planned.id, MISSED, limit=9)
    assert (figures.sent, figures.failed, figures.expired, over.state) == (1, 2, 1, "done")
    assert {one.name: (one.state, one.reason) for one in missed} == {
        "nowhere": ("failed", "no account"),
        "blocked": ("failed", "no account"),
        "unknown": ("expired", "waits for its channel"),
    }


async def test_an_account_that_comes_back_is_written_to_in_its_lane(
    db: Database, now: datetime
) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area)
        await tx.execute(
            insert(Account).values(
                person_id=person,
                channel="web",
                bot_id=1,
                chat_id=5,
                state="reachable",
                state_at=now + HOUR,
                created_at=now,
            )
        )
        await plan_broadcast(tx, area=area, text="体检", language=None, by=None, now=now)
        assert await tx.scalar(select(Delivery.lane)) == 1


async def test_what_finished_and_moved_is_not_asked_again(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        for _ in range(3):
            await make_person(tx, now, area=area)
        assert (await plan_rollcall(tx, area=area, text="?", by=None, now=now)).count == 3
        await tx.execute(update(Delivery).values(state="sent", finished_at=now))
        found = await find_finished(tx, now + MOVED_AFTER, None, 2)
        assert await move_finished(tx, [delivery_id for delivery_id, _ in found]) == 2
        keys = (await tx.execute(select(Delivery.dedupe_key))).scalars().all()
        again = await enqueue_checkins(
            tx,
            Checkin.rollcall_id.is_not(None),
            template="rollcall",
            dedupe=_key_of(keys[0]),
            priority=0,
            urgent=True,
            now=now,
        )
        assert again == 0


def _key_of(key: str) -> ColumnElement[str]:
    return literal(key.rsplit(":", 1)[0] + ":") + cast(Checkin.person_id, String)


async def test_an_area_that_is_not_there(db: Database) -> None:
    async with db.read() as tx:
        with pytest.raises(Exception, match="no area"):
            await find_area(tx, "nosuch")


def test_every_reason_of_the_machine_has_words() -> None:
    known = {
        *reasons._WORDS,  # the list of what the machine writes
        running_broadcasts.STOPPED,
        restored.STOPPED,
        restored.SENT_SINCE,
        "not sent in time",
        "refused: no",
    }
    words = Catalogs()
    with words.context(), words.use_locale("zh"):
        for reason in known:
            told = reason_words(reason)
            assert told is not None
            assert not told.isascii(), reason
        assert reason_words("of no kind at all") == "of no kind at all"
        assert reason_words(None) is None
        assert reason_words("there are no words for “x”") == "没有“x”这种消息的写法"
