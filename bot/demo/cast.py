"""Who is who in the demo, drawn from a fixed seed: the same people every time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from bot.demo.names import ABROAD, GIVEN, LATIN, PLACES, SURNAMES, TOWNS, WORKER

WEEKS = 12

Habit = Literal[
    "steady", "now and then", "fading", "through family", "blocked", "slower", "home", "paused",
    "left", "new",
]  # fmt: skip
_HABITS: tuple[tuple[Habit, int], ...] = (
    ("steady", 56),
    ("now and then", 19),
    ("fading", 6),
    ("through family", 5),
    ("blocked", 3),
    ("slower", 3),
    ("home", 3),
    ("paused", 2),
    ("left", 2),
    ("new", 1),
)


@dataclass(slots=True)
class Cast:
    """One worker to be. ``turn``: how many weeks ago the habit's turning point was."""

    village: str
    name: str
    language: str | None
    place: str | None
    habit: Habit
    since: datetime
    turn: int
    phone: str | None
    is_lead: bool = False
    id: int = 0
    area_id: int = 0


def draw_cast(random: Random, now: datetime) -> list[Cast]:
    """Every worker of the eight villages; the first is the one whose chat can be opened."""
    names = [surname + given for surname in SURNAMES for given in GIVEN]
    random.shuffle(names)
    latin = iter(LATIN)
    habits = [habit for habit, _ in _HABITS]
    weights = [weight for _, weight in _HABITS]
    cities = [city for city, _ in PLACES]
    shares = [share for _, share in PLACES]
    cast: list[Cast] = []
    for village in (village for town in TOWNS for village in town.villages):
        for _ in range(village.workers):
            number = len(cast)
            abroad = random.random() < 0.1
            habit = random.choices(habits, weights)[0]
            place = random.choice(ABROAD) if abroad else random.choices(cities, shares)[0]
            english = next(latin, None) if abroad and random.random() < 0.7 else None
            weeks = 3 if habit == "new" else random.randint(WEEKS + 3, 70)
            cast.append(
                Cast(
                    village=village.code,
                    name=english or names[number],
                    language="en" if english else None,
                    place=None if random.random() < 0.04 else place,
                    habit=habit,
                    since=now - timedelta(weeks=weeks, hours=random.randint(1, 160)),
                    turn=random.randint(2, 7),
                    # No such line can be: nobody's phone rings when a demo number is called.
                    phone=f"+8610000{number:05d}" if random.random() < 0.7 else None,
                )
            )
    lead = cast[0]
    lead.name, lead.language, lead.place, lead.habit = WORKER, None, "dongguan", "steady"
    lead.since, lead.is_lead = now - timedelta(weeks=30), True
    return cast
