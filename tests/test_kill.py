"""``kill -9`` at random moments: every update has its effect once, and no reply is missing."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import func, select, update

from handlers.callbacks import NewsTap
from storage.database import Database
from storage.models import Account, Contact, Intake
from storage.people.areas import add_area, find_area
from storage.people.enrolment import Address, enrol, give_consent, rename
from storage.people.invites import make_invite
from tests.botapi import BotApi, Message, PrivateConversation
from tests.botapi.account import BotAccount
from tests.conftest import SECRET_KEY
from tests.town import TOKEN, eventually, free_port, says
from tests.visitor import Visitor, cookies

ROOT = Path(__file__).parents[1]
KILLS = 6
PEOPLE = 5
REPORTS = 20  # of each person: half of them taps, half of them words; by web one a kill
PATIENCE = 60.0
RECEIPT = "Got it, {time}. Glad you're well."


class House:
    """The service as a process. ``up`` is set while there is one."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, **env, "PYTHONPATH": str(ROOT)}
        self.up = asyncio.Event()
        self.pid = 0
        self._forks: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        if self._forks is None:
            self._forks = await self._run("-m", "tests.forked_service", "service.log")
        assert self._forks.stdin is not None
        self._forks.stdin.write(b"start\n")
        self.pid = await self._read()
        self.up.set()

    async def kill(self) -> None:
        """As sudden as a power cut, for this one process."""
        self.up.clear()
        os.kill(self.pid, signal.SIGKILL)
        assert await self._read() == -signal.SIGKILL, self.log()
        self.pid = 0

    @contextlib.asynccontextmanager
    async def for_good(self) -> AsyncIterator[None]:
        """The command itself, which must end well when asked to."""
        process = await self._run("-m", "bot", "run")
        self.up.set()
        try:
            yield
            process.terminate()
            assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
        finally:
            self.up.clear()
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def close(self) -> None:
        if self._forks is not None:
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
            self._forks.kill()
            await self._forks.wait()

    def log(self) -> str:
        """The last that it said, for whoever looks at a failure."""
        log = self.folder / "service.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    async def _run(self, *args: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *args,
            cwd=self.folder,
            env=self.env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if "bot" not in args else asyncio.subprocess.DEVNULL,
        )

    async def _read(self) -> int:
        assert self._forks is not None
        assert self._forks.stdout is not None
        line = await asyncio.wait_for(self._forks.stdout.readline(), PATIENCE)
        return int(line or b"0")


@dataclass
class Person:
    """Someone on Telegram; ``questions`` are the messages they tap, one each."""

    phone: PrivateConversation
    questions: list[Message]
    sent: int = 0
    words: int = 0

    async def report(self) -> None:
        self.sent += 1
        if self.sent % 2:
            question = self.questions[self.sent // 2]
            self.phone.press(question, NewsTap(status="away").pack())
        else:
            self.words += 1
            await self.phone.write("平安")

    def is_answered(self) -> bool:
        receipts = [m for m in self.phone.messages if m.from_bot and says(m, RECEIPT)]
        spoken = [message for message in receipts if message not in self.questions]
        tapped = self.questions[: (self.sent + 1) // 2]
        return len(spoken) >= self.words and all(q in receipts for q in tapped)


@dataclass
class Page(Visitor):
    """Someone on the web chat, whose page sends until it is told that it has arrived."""

    house: House = field(kw_only=True)
    sent: list[str] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def join(self, token: str) -> None:
        await self.open()
        for text in (f"/start {token}", "中文", "同意", "小红", "跳过"):
            assert await self.write(text) == 200

    async def report(self) -> None:
        """Send until it has arrived; and then once more, as a page does that did not hear so."""
        client_id = secrets.token_urlsafe(16)
        self.sent.append(client_id)
        for _ in range(2):
            await self._until_taken(client_id)

    async def repeat(self) -> None:
        """Send the last of it again."""
        for client_id in self.sent[-4:]:
            await self._until_taken(client_id)

    async def _until_taken(self, client_id: str) -> None:
        async def taken() -> bool:
            await self.house.up.wait()
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                return await self.write("平安", client_id) == 200
            return False

        async with self._turn:  # one at a time, and not at once again: a page has manners
            await eventually(taken, PATIENCE, every=0.1)


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    server = BotApi()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def house(api: BotApi, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    port = free_port()
    env = {
        "KINROOM_DATABASE_URL": database_url,
        "KINROOM_SECRET_KEY": SECRET_KEY,
        "KINROOM_TELEGRAM_TOKEN": TOKEN,
        "KINROOM_TELEGRAM_API": api.url,
        "KINROOM_HTTP_PORT": str(port),
        "KINROOM_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "KINROOM_DEMO": "0",
    }
    house = House(tmp_path, env)
    yield house
    await house.close()


@pytest.mark.long
async def test_killed_again_and_again(api: BotApi, house: House, db: Database) -> None:
    seed = secrets.randbelow(2**32)
    print("seed", seed)  # noqa: T201  # shown where the test fails
    chance = random.Random(seed)
    bot = api.add_bot(TOKEN, "kinroom_bot")
    invite = await make_village(db)
    people = [await settle(api, bot, db, number) for number in range(PEOPLE)]
    everyone = [person for person in people for _ in range(REPORTS)]
    chance.shuffle(everyone)
    url = house.env["KINROOM_PUBLIC_URL"]
    async with aiohttp.ClientSession(cookie_jar=cookies()) as browser:
        page = Page(url, browser, house=house)
        await house.start()
        await api.wait_until(lambda: bot.updates.polled, PATIENCE)
        await page.join(invite)
        by_web: list[asyncio.Task[None]] = []
        for kill in range(KILLS):
            if kill:
                await house.start()
            by_web.append(asyncio.create_task(page.report()))
            waiting = chance.randrange(1, 6)
            await someone_reports(everyone, waiting)
            # Up to here it makes itself known, fetches what waits, and answers some of it.
            calls = len(api.log) + chance.randrange(5 + waiting)
            with contextlib.suppress(TimeoutError):
                await api.wait_until(lambda n=calls: len(api.log) >= n, 3.0)  # type: ignore[misc]
            await someone_reports(everyone, chance.randrange(8))
            # A moment of nobody's choosing: before, in and after the transactions and the sending.
            await asyncio.sleep(chance.random() * 0.1)
            await house.kill()
        await someone_reports(everyone, len(everyone))
        async with db.write() as tx:
            # Two minutes on: on PostgreSQL another process might still have been at work.
            await tx.execute(
                update(Intake).values(leased_until=datetime.now(UTC) - timedelta(seconds=1))
            )
        async with house.for_good():
            await asyncio.gather(*by_web)
            await page.repeat()
            try:
                await api.wait_until(
                    lambda: not bot.updates.pending and all(p.is_answered() for p in people),
                    PATIENCE,
                )
            except TimeoutError:
                assert not [p.phone.messages for p in people if not p.is_answered()], house.log()
            await check_the_rest(db, people, page)


async def make_village(db: Database) -> str:
    """A village with no one in it; a token that lets one come in."""
    now = datetime.now(UTC)
    async with db.write() as tx:
        await add_area(
            tx, code="V", name="南对河村", parent=None, timezone=None, language="zh", now=now
        )
        area = await find_area(tx, "V")
        return await make_invite(
            tx, kind="worker", area_id=area.id, uses=1, expires_at=None, by=None, now=now
        )


async def settle(api: BotApi, bot: BotAccount, db: Database, number: int) -> Person:
    """A worker of the village, in whose chat questions lie that nobody has answered."""
    phone = api.add_user(f"Fang {number}", language_code="zh-hans").open(bot)
    phone.chat.started = True
    now = datetime.now(UTC)
    async with db.write() as tx:
        address = Address("telegram", bot.id, phone.user.id)
        person_id = await give_consent(tx, address, language="zh", now=now)
        await rename(tx, person_id, f"小芳{number}")
        await enrol(tx, person_id, (await find_area(tx, "V")).id, now)
    buttons = [[{"text": "?", "callback_data": NewsTap(status="away").pack()}]]
    for _ in range(REPORTS // 2):
        question = {
            "chat_id": phone.user.id,
            "text": "?",
            "reply_markup": {"inline_keyboard": buttons},
        }
        await api.call(bot, "sendMessage", question)
    return Person(phone, phone.messages)


async def someone_reports(everyone: list[Person], times: int) -> None:
    for _ in range(min(times, len(everyone))):
        await everyone.pop().report()


async def check_the_rest(db: Database, people: list[Person], page: Page) -> None:
    async with db.read() as tx:
        found = await tx.execute(
            select(Account.channel, Account.chat_id, func.count(Contact.id).label("contacts"))
            .join(Contact, Contact.person_id == Account.person_id)
            .where(Contact.kind == "status")
            .group_by(Account.channel, Account.chat_id)
        )
        contacts = {(row.channel, row.chat_id): row.contacts for row in found}
        problems = await tx.scalar(
            select(func.count()).select_from(Intake).where(Intake.problem.is_not(None))
        )
    for person in people:
        assert person.sent == REPORTS
        assert contacts.pop(("telegram", person.phone.user.id)) == REPORTS
    assert [*contacts.values()] == [KILLS]
    assert problems == 0
    bubbles = await page.history()
    assert [bubble.get("me") for bubble in bubbles if bubble["text"] == "平安"] == [True] * KILLS
    assert len([bubble for bubble in bubbles if says(bubble["text"], RECEIPT)]) >= KILLS
