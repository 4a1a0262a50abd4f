"""The grounds of one scenario: a database, the test Bot API server, people, worker processes."""

import asyncio
import contextlib
import json
import random
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.database import Database
from storage.vault import Vault
from tests.botapi import BotApi
from tests.botapi.account import BotAccount
from tests.drill.databases import SECRET_KEY, Ground, Postgres, postgres, sqlite
from tests.drill.population import People, settle
from tests.drill.worker import Worker
from tests.populous_county import COUNTY

TOKEN = "123456:TEST-token-of-the-drill-012345678901"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for: on which engine, by which seed, how long."""

    engine: str
    seed: int
    short: bool = False
    kills: int | None = None
    server: Postgres | None = None  # the PostgreSQL server, where the engine is that
    folder: Path | None = None  # where files go; a temporary folder of its own otherwise

    def either(self, short: float, long: float) -> float:
        """A length or size: the short form's or the long one's."""
        return short if self.short else long


@dataclass
class Grounds:
    """Everything a scenario acts on. ``chance`` draws by the plan's seed."""

    plan: Plan
    where: Ground
    api: BotApi
    bot: BotAccount
    db: Database
    people: People
    workers: list[Worker]
    rate: float
    chance: random.Random
    broadcasts: dict[int, int] = field(default_factory=dict)  # the n of 〔Bn〕 -> its id

    @property
    def worker(self) -> Worker:
        return self.workers[0]

    @property
    def postgres(self) -> Postgres:
        assert isinstance(self.where, Postgres)
        return self.where

    async def broadcast(self) -> int:
        """Send a notice to everyone by the command; its id, once that was acknowledged."""
        number = len(self.broadcasts) + 1
        self.broadcasts[number] = 0  # taken, while the command works
        text = f"明天下午村里开会 〔B{number}〕"
        told = await self._told("broadcast", "--area", COUNTY, "--text", text)
        self.broadcasts[number] = told["broadcast"]
        return self.broadcasts[number]

    async def rollcall(self) -> None:
        """Ask everyone by the command whether they are safe."""
        await self._told("rollcall", "--area", COUNTY, "--text", "山洪，大家都安全吗？")

    async def _told(self, *args: str) -> Any:
        return json.loads(await self.worker.command(*args, "--json"))


@contextlib.asynccontextmanager
async def grounds(
    plan: Plan,
    *,
    rate: float,
    workers: int,
    processes: int = 1,
    through: str | None = None,
) -> AsyncIterator[Grounds]:
    """Fresh grounds with so many ``workers`` of the county, and processes not started yet.

    ``rate``: messages a second the service may send. ``through``: ``host:port`` by which the
    service is to reach PostgreSQL, if not as the drill does.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = plan.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kinroom-drill-")))
        folder.mkdir(exist_ok=True)
        if plan.engine == "sqlite":
            where: Ground = await stack.enter_async_context(sqlite(folder))
        else:
            assert plan.server is not None
            where = await stack.enter_async_context(postgres(plan.server))
        db = Database(where.url, Vault(SECRET_KEY))
        stack.push_async_callback(db.close)
        api = BotApi()
        api.log.light = True
        await api.start()
        stack.push_async_callback(api.stop)
        bot = api.add_bot(TOKEN, "kinroom_bot")
        people = await settle(api, bot, db, datetime.now(UTC), workers=workers, villages=4)
        env = {
            "KINROOM_DATABASE_URL": _seen_through(where, through),
            "KINROOM_SECRET_KEY": SECRET_KEY,
            "KINROOM_TELEGRAM_TOKEN": TOKEN,
            "KINROOM_TELEGRAM_API": api.url,
            "KINROOM_TELEGRAM_RATE": str(rate),
            "KINROOM_DEMO": "0",
        }
        started = [Worker(folder / f"worker-{number}", env) for number in range(processes)]
        for worker in started:
            stack.push_async_callback(worker.close)
        chance = random.Random(f"{plan.seed}:{plan.engine}")
        yield Grounds(plan, where, api, bot, db, people, started, rate, chance)
        await asyncio.sleep(0)


def _seen_through(where: Ground, through: str | None) -> str:
    if through is None or not isinstance(where, Postgres):
        return where.url
    host, _, port = through.partition(":")
    address = where.address.set(host=host, port=int(port), query={})
    return address.render_as_string(hide_password=False)
