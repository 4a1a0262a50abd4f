"""Officers told of tasks, on both databases: gathered, once, up the tree, and never of word."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from scheduler.digests import tell_officers
from storage.database import Database, Tx
from storage.models import Account, Delivery, Task
from storage.people.areas import AreaInfo
from storage.people.who import Who
from storage.rhythm.digests import tasks_by_liaison, tasks_with
from storage.rhythm.tasks import NewTask, add_tasks
from tests.county import make_area, make_person

NOON = datetime(2026, 11, 18, 4, tzinfo=UTC)  # Wednesday noon in China
HOUR = timedelta(hours=1)


async def _ask(
    tx: Tx, worker: Who, at: datetime, why: str = "unanswered", *, hours: int | None = 72
) -> None:
    assert worker.area_id is not None
    raise_at = None if hours is None else at + hours * HOUR
    await add_tasks(tx, [NewTask(worker.person_id, worker.area_id, None, why, raise_at)], at)


async def _villages(tx: Tx) -> tuple[AreaInfo, AreaInfo, AreaInfo]:
    town = await make_area(tx, "town", NOON)
    return town, await make_area(tx, "elm", NOON, "town"), await make_area(tx, "oak", NOON, "town")


async def _digests(db: Database) -> list[Any]:
    async with db.read() as tx:
        return list(
            (
                await tx.execute(
                    select(
                        Delivery.id,
                        Delivery.person_id,
                        Delivery.template,
                        Delivery.not_before,
                        Delivery.lane,
                        Delivery.state,
                    )
                    .where(Delivery.template.like("tasks%"))
                    .order_by(Delivery.id)
                )
            ).all()
        )


async def _end(db: Database, at: datetime, state: str = "sent") -> None:
    async with db.write() as tx:
        await tx.execute(
            update(Delivery)
            .where(Delivery.state == "queued")
            .values(state=state, finished_at=at, lane=1)
        )


async def test_one_message_for_many_tasks_and_the_next_an_hour_later(db: Database) -> None:
    async with db.write() as tx:
        _, elm, _ = await _villages(tx)
        mei = await make_person(tx, "Mei", NOON, officer_of=elm)
        workers = [await make_person(tx, f"W{n}", NOON, area=elm) for n in range(4)]
        for worker in workers[:2]:
            await _ask(tx, worker, NOON)
    assert await tell_officers(db, NOON) == 1
    assert await tell_officers(db, NOON) == 0
    async with db.write() as tx:
        await _ask(tx, workers[2], NOON + HOUR / 4)
    assert await tell_officers(db, NOON + HOUR / 4) == 0  # it will be in the one that waits
    (first,) = await _digests(db)
    assert (first.person_id, first.template, first.not_before) == (mei.person_id, "tasks", NOON)
    assert first.lane is not None
    async with db.read() as tx:
        lies = (await tasks_with(tx, [mei.person_id]))[mei.person_id]
        assert (lies.open, lies.raised, lies.calls, lies.areas) == (3, 0, 0, (("Elm", 3),))

    await _end(db, NOON + HOUR / 2)
    assert await tell_officers(db, NOON + HOUR / 2) == 0
    async with db.write() as tx:
        await _ask(tx, workers[3], NOON + 3 * HOUR / 4)
    assert await tell_officers(db, NOON + 3 * HOUR / 4) == 1
    _, second = await _digests(db)
    assert second.not_before == NOON + 3 * HOUR / 2


async def test_what_comes_while_one_is_on_its_way_is_in_the_next(db: Database) -> None:
    async with db.write() as tx:
        _, elm, _ = await _villages(tx)
        await make_person(tx, "Mei", NOON, officer_of=elm)
        workers = [await make_person(tx, f"W{n}", NOON, area=elm) for n in range(2)]
        await _ask(tx, workers[0], NOON)
    assert await tell_officers(db, NOON) == 1
    async with db.write() as tx:
        await tx.execute(update(Delivery).values(state="sending"))  # its words are written
        await _ask(tx, workers[1], NOON)
    assert await tell_officers(db, NOON) == 1
    assert await tell_officers(db, NOON) == 0
    _, second = await _digests(db)
    assert (second.template, second.not_before) == ("tasks", NOON + HOUR)


async def test_a_familys_wish_does_not_wait(db: Database) -> None:
    async with db.write() as tx:
        _, elm, _ = await _villages(tx)
        await make_person(tx, "Mei", NOON, officer_of=elm)
        worker = await make_person(tx, "Fang", NOON, area=elm)
        await _ask(tx, worker, NOON)
    await tell_officers(db, NOON)
    await _end(db, NOON)
    async with db.write() as tx:
        await _ask(tx, worker, NOON + HOUR / 6, why="call")
    assert await tell_officers(db, NOON + HOUR / 6) == 1
    _, wish = await _digests(db)
    assert (wish.template, wish.not_before) == ("tasks_call", NOON + HOUR / 6)
    assert await tell_officers(db, NOON + HOUR / 6) == 0
    async with db.read() as tx:
        assert list((await tx.execute(select(Task.why))).scalars()) == ["call"]


async def test_it_goes_up_the_tree_where_nobody_can_be_told(db: Database) -> None:
    """A village without a liaison, one without an account, one who is silent themselves."""
    async with db.write() as tx:
        town, elm, oak = await _villages(tx)
        blocked = await make_person(tx, "Mei", NOON, officer_of=elm, state="blocked")
        boss = await make_person(tx, "Boss", NOON, officer_of=town, role="supervisor")
        for area in (elm, oak):
            await _ask(tx, await make_person(tx, "W", NOON, area=area), NOON)
        await _ask(tx, await make_person(tx, "Self", NOON, area=oak, officer_of=oak), NOON)
    assert await tell_officers(db, NOON) == 2
    told = {it.person_id for it in await _digests(db)}
    assert boss.person_id in told
    assert blocked.person_id not in told
    async with db.read() as tx:
        theirs = await tasks_by_liaison(tx, town.path)
        # Self is told of W, and of nobody else; Boss of Self, and of the blocked one's village.
        assert sorted((it.name, it.open) for it in theirs) == [("Boss", 2), ("Self", 1)]


async def test_nobody_at_all_is_news_until_somebody_comes(db: Database) -> None:
    async with db.write() as tx:
        town, elm, _ = await _villages(tx)
        await _ask(tx, await make_person(tx, "W", NOON, area=elm), NOON)
    assert await tell_officers(db, NOON) == 0
    async with db.write() as tx:
        (nobodys,) = await tasks_by_liaison(tx, town.path)
        assert (nobodys.name, nobodys.open) == (None, 1)
        await make_person(tx, "Mei", NOON, officer_of=elm)
    assert await tell_officers(db, NOON + HOUR) == 1


async def test_the_supervisor_hears_of_what_lies_once_a_day(db: Database) -> None:
    async with db.write() as tx:
        town, elm, oak = await _villages(tx)
        mei = await make_person(tx, "Mei", NOON, officer_of=elm)
        boss = await make_person(tx, "Boss", NOON, officer_of=town, role="supervisor")
        await make_person(tx, "Ning", NOON, officer_of=oak)
        for area, hours in ((elm, 72), (elm, 75), (oak, None)):
            await _ask(tx, await make_person(tx, "W", NOON, area=area), NOON, hours=hours)
    assert await tell_officers(db, NOON) == 2
    await _end(db, NOON)
    assert await tell_officers(db, NOON + 71 * HOUR) == 0
    assert await tell_officers(db, NOON + 72 * HOUR) == 1
    *_, raised = await _digests(db)
    assert (raised.person_id, raised.template) == (boss.person_id, "tasks_raised")
    await _end(db, NOON + 72 * HOUR)
    assert await tell_officers(db, NOON + 75 * HOUR) == 1
    *_, again = await _digests(db)
    assert again.not_before == NOON + 96 * HOUR
    async with db.read() as tx:
        lies = (await tasks_with(tx, [boss.person_id], raised=True))[boss.person_id]
        assert (lies.open, lies.areas) == (2, (("Elm", 2),))
        assert {it.name: (it.open, it.raised) for it in await tasks_by_liaison(tx, town.path)} == {
            "Mei": (2, 2),
            "Ning": (1, 0),
        }
        assert set(await tasks_with(tx, [mei.person_id, boss.person_id])) == {mei.person_id}


async def test_what_did_not_arrive_is_told_again_by_another_way(db: Database) -> None:
    async with db.write() as tx:
        town, elm, _ = await _villages(tx)
        mei = await make_person(tx, "Mei", NOON, officer_of=elm)
        boss = await make_person(tx, "Boss", NOON, officer_of=town, role="supervisor")
        await _ask(tx, await make_person(tx, "W", NOON, area=elm), NOON)
    assert await tell_officers(db, NOON) == 1
    await _end(db, NOON + HOUR / 2, "failed")
    async with db.write() as tx:
        await tx.execute(
            update(Account).where(Account.person_id == mei.person_id).values(state="blocked")
        )
    assert await tell_officers(db, NOON + HOUR) == 1
    _, second = await _digests(db)
    assert (second.person_id, second.template) == (boss.person_id, "tasks")
    assert await tell_officers(db, NOON + 2 * HOUR) == 0


async def test_a_closed_task_is_no_news(db: Database) -> None:
    async with db.write() as tx:
        _, elm, _ = await _villages(tx)
        await make_person(tx, "Mei", NOON, officer_of=elm)
        worker = await make_person(tx, "W", NOON, area=elm)
        await tx.execute(
            insert(Task).values(
                person_id=worker.person_id,
                area_id=elm.id,
                why="unanswered",
                opened_at=NOON,
                raise_at=NOON,
                closed_at=NOON,
                closed_as="heard",
            )
        )
    assert await tell_officers(db, NOON) == 0


async def test_two_processes_at_once_write_one(db: Database) -> None:
    async with db.write() as tx:
        _, elm, _ = await _villages(tx)
        await make_person(tx, "Mei", NOON, officer_of=elm)
        await _ask(tx, await make_person(tx, "W", NOON, area=elm), NOON)
    await asyncio.gather(*(tell_officers(db, NOON) for _ in range(4)))
    assert len(await _digests(db)) == 1
