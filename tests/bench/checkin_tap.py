"""A worker taps the answer of a check-in: taken in, kept, the message becomes its receipt."""

import random

from tests.bench.figure import Figure
from tests.bench.population import Population
from tests.bench.rounds import Raws, compare
from tests.bench.updates import checkin_tap
from tests.bench.ways import Ours

_SAYS = 2  # the tap is acknowledged, the message edited


async def measure(ours: Ours, population: Population, *, judged: bool) -> list[Figure]:
    waiting = list(population.unanswered)
    random.Random(2).shuffle(waiting)

    def draw(count: int) -> Raws:
        return [checkin_tap(*waiting.pop()) for _ in range(count)]

    name = f"check-in tap, way in and receipt ({ours.db.url.get_backend_name()})"
    return await compare(name, ours, draw, says=_SAYS, judged=judged)
