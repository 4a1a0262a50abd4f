"""A worker writes that all is well: taken in, kept, answered."""

import random

from tests.bench.figure import Figure
from tests.bench.population import Population
from tests.bench.rounds import Raws, compare
from tests.bench.updates import status_report
from tests.bench.ways import Ours


async def measure(ours: Ours, population: Population, *, judged: bool) -> list[Figure]:
    drawing = random.Random(1)

    def draw(count: int) -> Raws:
        return [status_report(chat) for chat in drawing.sample(population.chats, count)]

    name = f"status report, way in and reply ({ours.db.url.get_backend_name()})"
    return await compare(name, ours, draw, says=1, judged=judged)
