"""Who never answers and who answers less, by what was delivered, on both databases."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from storage.database import Database, Tx
from storage.models import Checkin
from storage.people.areas import AreaInfo
from storage.people.who import Who
from storage.register.answering import HALF, SPAN, count_habits, habits_of, list_habit
from storage.register.contacts import record_heard
from tests.county import make_area, make_person

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
WEEK, DAY = timedelta(days=7), timedelta(days=1)


async def _asked(tx: Tx, who: Who, history: str) -> None:
    """Weekly questions, the newest last: ``+`` answered, ``-`` not, ``x`` not delivered."""
    rows: list[dict[str, Any]] = []
    for back, mark in enumerate(reversed(history), 1):
        at = NOW - back * WEEK
        rows.append(
            {
                "person_id": who.person_id,
                "area_id": who.area_id,
                "slot": f"{at.date()}",
                "due_at": at,
                "window_until": at + 3 * DAY,
                "delivered_at": None if mark == "x" else at,
                "answered_at": at + DAY if mark == "+" else None,
                "answer": "ok" if mark == "+" else None,
            }
        )
    await tx.execute(insert(Checkin), rows)


async def _village(tx: Tx) -> AreaInfo:
    await make_area(tx, "town", NOW)
    return await make_area(tx, "elm", NOW, "town")


async def _habit(db: Database, history: str, **also: Any) -> str | None:
    async with db.write() as tx:
        elm = await _village(tx)
        fang = await make_person(tx, "Fang", NOW, area=elm, enrolled_at=NOW - 60 * WEEK, **also)
        await _asked(tx, fang, history)
        return (await habits_of(tx, [fang.person_id], NOW)).get(fang.person_id)


@pytest.mark.parametrize(
    ("history", "habit"),
    [
        ("---", None),  # too few to say
        ("----", "never"),
        ("-" * 30, "never"),
        ("xxxxxxxxxxxx", None),  # nothing arrived: that is the channel's silence
        ("x-x-x-x-", "never"),
        ("----+", None),
        ("++++++------", "fading"),
        ("++++--------", "fading"),
        ("++++++-+-+--", "fading"),
        ("++++++-+-++-", None),
        ("+++---------", None),
        ("++++++++++++", None),
        ("++++++" + "x" * 6, None),
        ("++++++x-x-x-x-x-x-", "fading"),  # what did not arrive is passed over
        ("++++++-----", None),  # eleven are too few for two spans
        ("++++++------" + "-" * 12, "never"),  # of the last twelve none
    ],
)
async def test_habits(db: Database, history: str, habit: str | None) -> None:
    assert await _habit(db, history) == habit


async def test_technical_silence_is_no_habit(db: Database) -> None:
    assert await _habit(db, "----", state="blocked") is None


async def test_a_word_of_their_own_in_time_is_an_answer(db: Database) -> None:
    async with db.write() as tx:
        elm = await _village(tx)
        fang = await make_person(tx, "Fang", NOW, area=elm)
        await _asked(tx, fang, "----")
        await record_heard(tx, fang, NOW - 4 * DAY - 2 * WEEK, kind="message", outcome="x")
        assert await habits_of(tx, [fang.person_id], NOW) == {fang.person_id: "never"}
        await record_heard(tx, fang, NOW - 5 * DAY - WEEK, kind="message", outcome="x")
        assert await habits_of(tx, [fang.person_id], NOW) == {}


async def test_what_is_still_to_be_answered_does_not_count(db: Database) -> None:
    async with db.write() as tx:
        elm = await _village(tx)
        fang = await make_person(tx, "Fang", NOW, area=elm)
        await _asked(tx, fang, "---")
        await tx.execute(
            insert(Checkin).values(
                person_id=fang.person_id,
                area_id=elm.id,
                slot="now",
                due_at=NOW - DAY,
                window_until=NOW + DAY,
                delivered_at=NOW - DAY,
            )
        )
        assert await habits_of(tx, [fang.person_id], NOW) == {}
        assert await habits_of(tx, [fang.person_id], NOW + 2 * DAY) == {fang.person_id: "never"}


async def test_the_lists_of_a_subtree(db: Database) -> None:
    async with db.write() as tx:
        elm = await _village(tx)
        oak = await make_area(tx, "oak", NOW, "town")
        histories: Sequence[tuple[str, AreaInfo, str]] = (
            ("A", elm, "-----"),
            ("B", elm, "-" * 9),
            ("C", elm, "++++++------"),
            ("D", elm, "++++--------"),
            ("E", elm, "++++++++++++"),
            ("F", oak, "------"),
        )
        for name, area, history in histories:
            who = await make_person(tx, name, NOW, area=area)
            await _asked(tx, who, history)
        assert await count_habits(tx, [elm.path], NOW) == {"never": 2, "fading": 2}
        assert await count_habits(tx, [elm.path, oak.path], NOW) == {"never": 3, "fading": 2}
        assert await count_habits(tx, [], NOW) == {"never": 0, "fading": 0}
        never = await list_habit(tx, [elm.path], "never", NOW, 9)
        assert [(it.name, it.asked, it.answered) for it in never] == [("B", 9, 0), ("A", 5, 0)]
        fading = await list_habit(tx, [elm.path], "fading", NOW, 9)
        assert [(it.name, it.before, it.lately, it.asked) for it in fading] == [
            ("C", HALF, 0, SPAN),
            ("D", 4, 0, SPAN),
        ]
        page = await list_habit(tx, [elm.path], "fading", NOW, 1, 1)
        assert [it.name for it in page] == ["D"]
