"""A simulated year for 2,000 workers, on a virtual clock: what must hold, held on every day.

A run that fails names the whole command that replays it.
"""

import os
from collections.abc import Iterator
from datetime import date

import pytest

from storage.database import Database
from tests.year.invariants import Broken
from tests.year.run import Lived, Year, forgoing_disk

SEED = int(os.environ.get("KINROOM_YEAR_SEED", "1"))
DAYS = int(os.environ.get("KINROOM_YEAR_DAYS", "365"))


@pytest.fixture(autouse=True)
def no_disk() -> Iterator[None]:
    with forgoing_disk():
        yield


async def live(db: Database, **more: int | date) -> Lived:
    lived = await Year(db, seed=SEED, **more).live()  # type: ignore[arg-type]  # as the names say
    print(lived)  # noqa: T201  # seen with -s
    return lived


@pytest.mark.long
async def test_a_year_of_two_thousand_workers(sqlite_db: Database) -> None:
    lived = await live(sqlite_db, workers=2000, days=DAYS, step=720, zones=3, bare=True)
    assert lived.factor >= 1000
    for happened in ("checkin", "nudge_again", "broadcast", "reminder", "rollcall", "kin_ask"):
        assert lived.counts[happened] > 50, happened


async def test_weeks_around_spring_festival_in_all_zones(postgres_db: Database) -> None:
    """From before the festival to after clocks have gone forward in North America."""
    lived = await live(postgres_db, workers=60, days=49, first=date(2027, 1, 28))
    assert lived.factor >= 1000


async def test_the_same_seed_lives_the_same(sqlite_db: Database, postgres_db: Database) -> None:
    """Whatever order a database gives its rows in: else a failing run could not be replayed."""
    once, again = [
        await live(db, workers=40, days=12, first=date(2027, 3, 8))
        for db in (sqlite_db, postgres_db)
    ]
    assert once.counts == again.counts


async def test_a_message_at_night_is_found(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.leaving.wait_until", lambda *_: None)
    with pytest.raises(Broken, match="at night") as found:
        await live(sqlite_db, workers=300, days=22, step=360, zones=3, bare=True)
    (note,) = found.value.__notes__
    given = "--workers 300 --days 22 --first 2026-11-23 --step 360 --zones 3"
    assert note == f"To replay it: python -m tests.year --seed {SEED} {given}"


async def test_a_budget_not_kept_is_found(
    sqlite_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.burden.bear", lambda *_, **__: None)
    monkeypatch.setattr("tests.year.invariants.BUDGET", 1)
    with pytest.raises(Broken, match="in seven days"):
        await live(sqlite_db, workers=300, days=30, step=360, zones=3, bare=True)
