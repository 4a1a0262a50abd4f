"""The tree of areas."""

from datetime import datetime

import pytest
from sqlalchemy import bindparam, select

from storage.database import Database, Tx
from storage.errors import Refused
from storage.models import Area
from storage.people.areas import (
    AreaExists,
    AreaInfo,
    BadAreaName,
    BadLanguage,
    BadTimezone,
    UnknownArea,
    add_area,
    find_area,
    get_area,
    in_subtree,
    list_areas,
)


async def _add(tx: Tx, now: datetime, code: str, parent: str | None = None) -> AreaInfo:
    return await add_area(
        tx, code=code, name=code.title(), parent=parent, timezone=None, language=None, now=now
    )


async def test_an_area_takes_zone_and_language_from_its_parent(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        root = await _add(tx, now, "county")
        town = await add_area(
            tx,
            code="town",
            name="Town",
            parent="county",
            timezone="Europe/Madrid",
            language="en",
            now=now,
        )
        village = await _add(tx, now, "village", "town")
    assert (root.timezone, root.language, root.parent_id) == ("Asia/Shanghai", "zh", None)
    assert (village.timezone, village.language) == ("Europe/Madrid", "en")
    assert village.parent_id == town.id
    assert village.path == f"/{root.id}/{town.id}/{village.id}/"


async def test_areas_are_found_by_code_and_by_id(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        area = await _add(tx, now, "南堆河")
    async with db.read() as tx:
        assert await find_area(tx, "南堆河") == area
        assert await get_area(tx, area.id) == area
        with pytest.raises(UnknownArea, match="“nowhere”"):
            await find_area(tx, "nowhere")
        with pytest.raises(UnknownArea):
            await get_area(tx, area.id + 1)


async def test_the_list_runs_in_tree_order_also_beyond_nine(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await _add(tx, now, "county")
        for number in range(1, 12):
            await _add(tx, now, f"town-{number}", "county")
        await _add(tx, now, "village", "town-1")
        codes = [area.code for area in await list_areas(tx)]
    assert codes == ["county", "town-1", "village", *(f"town-{n}" for n in range(2, 12))]


async def test_a_subtree_is_the_area_and_what_lies_below(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await _add(tx, now, "county")
        # Ids 2 … 21: the path /1/2/ must not take in /1/20/.
        for number in range(2, 22):
            await _add(tx, now, f"town-{number}", "county")
        below = await _add(tx, now, "village", "town-2")
        town = await find_area(tx, "town-2")
        by_text = select(Area.code).where(in_subtree(Area.path, town.path)).order_by(Area.id)
        by_parameter = select(Area.code).where(in_subtree(Area.path, bindparam("path")))
        above = select(Area.code).where(in_subtree(bindparam("path"), Area.path))
        assert list((await tx.execute(by_text)).scalars()) == ["town-2", "village"]
        found = await tx.execute(by_parameter, {"path": below.path})
        assert list(found.scalars()) == ["village"]
        found = await tx.execute(above, {"path": below.path})
        assert set(found.scalars()) == {"county", "town-2", "village"}


async def test_a_taken_code_is_refused_and_nothing_is_written(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await _add(tx, now, "county")
        with pytest.raises(AreaExists, match="already an area “county”"):
            await _add(tx, now, "county")
        # The transaction is still good: nothing failed in the database.
        await _add(tx, now, "town", "county")
        assert len(await list_areas(tx)) == 2


BAD: list[tuple[type[Refused], dict[str, str]]] = [
    (UnknownArea, {"parent": "nowhere"}),
    (BadTimezone, {"timezone": "China/Nanduihe"}),
    (BadTimezone, {"timezone": ""}),
    (BadTimezone, {"timezone": "../../etc/passwd"}),
    (BadLanguage, {"language": "tlh"}),
    (BadLanguage, {"language": "zh_CN.UTF-8"}),
    (BadAreaName, {"code": ""}),
    (BadAreaName, {"code": "two words"}),
    (BadAreaName, {"code": "a/b"}),
    (BadAreaName, {"code": "%"}),
    (BadAreaName, {"code": "x" * 65}),
    (BadAreaName, {"name": "  "}),
    (BadAreaName, {"name": "x" * 101}),
    (BadAreaName, {"name": "a\u202eb"}),
]


async def test_bad_input_is_refused_in_one_sentence(db: Database, now: datetime) -> None:
    good = {"code": "c", "name": "C", "parent": None, "timezone": None, "language": None}
    async with db.write() as tx:
        for error, given in BAD:
            with pytest.raises(error) as refused:
                await add_area(tx, now=now, **(good | given))  # type: ignore[arg-type]
            sentence = str(refused.value)
            assert sentence.endswith(".")
            assert "\n" not in sentence
            assert len(sentence) < 160
        assert await list_areas(tx) == []
