"""A town for acceptance tests: the real service, and a Bot API server with people around it.

Nothing of the service is replaced. Its clock can be moved, but never stands still.
"""

import asyncio
import contextlib
import io
import itertools
import json
import logging
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.cli import main
from bot.service import Service, running
from bot.settings import Settings
from locales.catalogs import Catalogs
from scheduler import pace
from storage.database import Database
from storage.models import Account, Base, Intake, Person
from storage.people.areas import AreaInfo, add_area, find_area
from storage.people.enrolment import Address, enrol, give_consent, rename, take_role
from storage.people.invites import make_invite
from storage.people.who import Who, load_who
from storage.rhythm.rollcalls import plan_rollcall
from tests.botapi import BotApi, Message, PrivateConversation, User
from tests.botapi.account import BotAccount
from tests.conftest import SECRET_KEY

T = TypeVar("T")

TOKEN: Final = "123456:TEST-token-of-the-town-0123456789abc"
SUNDAY: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""A Sunday, eight in the evening in China: not yet night, and the week is nearly over."""
WORDS: Final = Catalogs()
_SENTENCES: Final = {
    key[0] if isinstance(key, tuple) else key
    for key in WORDS.locales["zh"]._catalog  # type: ignore[attr-defined]
}
_RULES: Final = ("checkin_rule", "rule_clock")
PATIENCE: Final = 20.0


def word(sentence: str, language: str = "zh", **values: object) -> str:
    """The catalog's sentence as a reader of ``language`` sees it."""
    assert sentence in _SENTENCES, f"{sentence!r} is in no catalog any more"
    return WORDS.gettext(sentence, locale=language).format(**values)


def says(message: Message | str, sentence: str, language: str = "zh") -> bool:
    """Whether the catalog's ``sentence`` stands in the message, whatever fills its gaps."""
    text = message if isinstance(message, str) else message.text
    assert sentence in _SENTENCES, f"{sentence!r} is in no catalog any more"
    fixed = re.split(r"\{\w+\}", WORDS.gettext(sentence, locale=language))
    return re.search(".*".join(map(re.escape, fixed)), text, re.DOTALL) is not None


def data_of(message: Message, begins: str) -> str:
    """The callback data of the first button under ``message`` whose data begin so."""
    for row in message.buttons:
        for button in row:
            data: str = button.get("callback_data", "")
            if data.startswith(begins):
                return data
    raise LookupError(f"no button {begins!r}… under {message}")


async def tap(phone: PrivateConversation, message: Message, begins: str) -> str:
    """Tap the button whose data begin so, and see the message change; the new text."""
    before = message.text, message.buttons
    await phone.tap(message, data_of(message, begins))
    await phone.wait_for(lambda m: m is message and (m.text, m.buttons) != before)
    return message.text


async def write(phone: PrivateConversation, text: str, answers: int = 1) -> Message:
    """Write, and wait for so many messages in answer; the last of them."""
    phone.skip()
    await phone.write(text)
    return (await phone.heard(answers))[-1]


class TownClock:
    """Goes on from ``start`` as time goes on, and further when it is moved."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._since = time.monotonic()

    def __call__(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._since)

    def move(self, by: timedelta) -> None:
        self._start += by


@dataclass
class Town:
    """The service that runs, the server it speaks to, and ways to act in both."""

    api: BotApi
    account: BotAccount
    settings: Settings
    clock: Callable[[], datetime]
    service: Service = field(init=False)

    @property
    def db(self) -> Database:
        return self.service.opened.db

    # Places and links

    async def area(self, code: str, name: str, parent: str | None = None) -> AreaInfo:
        async with self.db.write() as tx:
            return await add_area(
                tx,
                code=code,
                name=name,
                parent=parent,
                timezone=None,
                language=None,
                now=self.clock(),
            )

    async def village(self) -> None:
        """A town, ``T``, with a village, ``V``, and another, ``W``."""
        await self.area("T", "南渡镇")
        await self.area("V", "南对河村", "T")
        await self.area("W", "北对河村", "T")

    async def invite(
        self,
        code: str,
        *,
        uses: int | None = None,
        lasts: timedelta | None = None,
    ) -> str:
        """A worker's link into the area: its token."""
        async with self.db.write() as tx:
            area = await find_area(tx, code)
            expires_at = self.clock() + lasts if lasts is not None else None
            return await make_invite(
                tx,
                kind="worker",
                area_id=area.id,
                uses=uses,
                expires_at=expires_at,
                by=None,
                now=self.clock(),
            )

    async def officer_invite(self, code: str, role: str, name: str) -> str:
        async with self.db.write() as tx:
            area = await find_area(tx, code)
            return await make_invite(
                tx,
                kind="officer",
                area_id=area.id,
                role=role,
                name=name,
                uses=1,
                expires_at=None,
                by=None,
                now=self.clock(),
            )

    # People

    def phone(self, first_name: str, language_code: str | None = "zh-hans") -> PrivateConversation:
        """Someone with Telegram, and their side of the chat with the bot."""
        user = self.api.add_user(first_name, language_code=language_code)
        return user.open(self.account)

    def phone_of(self, chat_id: int) -> PrivateConversation:
        """The same for someone whom the database already knows by this number."""
        user = self.api.users[chat_id] = User(self.api, chat_id, "Known", language_code="zh-hans")
        phone = user.open(self.account)
        phone.chat.started = True
        return phone

    async def worker(
        self, name: str, code: str = "V", *, language: str = "zh", days: int = 30
    ) -> PrivateConversation:
        """Someone who came onto the register of ``code`` so many days ago."""
        phone = self.phone(name, language)
        phone.chat.started = True
        then = self.clock() - timedelta(days=days)
        async with self.db.write() as tx:
            address = Address("telegram", self.account.id, phone.user.id)
            person_id = await give_consent(tx, address, language=language, now=then)
            await rename(tx, person_id, name)
            await enrol(tx, person_id, (await find_area(tx, code)).id, then)
        return phone

    async def officer(
        self, name: str, code: str = "V", *, role: str = "liaison", language: str = "zh"
    ) -> PrivateConversation:
        """Someone who has looked after ``code`` for a month."""
        phone = self.phone(name, language)
        phone.chat.started = True
        then = self.clock() - timedelta(days=30)
        async with self.db.write() as tx:
            address = Address("telegram", self.account.id, phone.user.id)
            person_id = await give_consent(tx, address, language=language, now=then)
            await rename(tx, person_id, name)
            await take_role(tx, person_id, (await find_area(tx, code)).id, role, then)
        return phone

    async def who(self, phone: PrivateConversation) -> Who | None:
        async with self.db.read() as tx:
            return await load_who(tx, self.account.id, phone.user.id)

    async def known(self, phone: PrivateConversation) -> Who:
        who = await self.who(phone)
        assert who is not None, f"{phone.user.first_name} is not known"
        return who

    async def row(self, phone: PrivateConversation) -> Any:
        """The person's row, as it is stored."""
        who = await self.known(phone)
        async with self.db.read() as tx:
            return (await tx.execute(select(Person).where(Person.id == who.person_id))).one()

    async def account_state(self, phone: PrivateConversation) -> str:
        who = await self.known(phone)
        async with self.db.read() as tx:
            state: str = await tx.scalar(select(Account.state).where(Account.id == who.account_id))
        return state

    # What happens

    async def rollcall(self, text: str, code: str = "V") -> int:
        """Everyone expected is asked now; how many."""
        async with self.db.write() as tx:
            area = await find_area(tx, code)
            planned = await plan_rollcall(tx, area=area, text=text, by=None, now=self.clock())
        self.service.delivery.nudge()
        return planned.count

    def move(self, **by: float) -> None:
        """Let so much time (``days=``, ``hours=``) pass at once."""
        assert isinstance(self.clock, TownClock)
        self.clock.move(timedelta(**by))
        self.service.delivery.nudge()

    async def settled(self) -> None:
        """Every update that people have caused is taken in and committed."""
        await self.api.wait_until(lambda: not self.account.updates.pending, PATIENCE)

    async def cli(self, *args: str) -> dict[str, Any]:
        """The command ``kinroom … --json`` on this town's database: what it printed."""
        return await asyncio.to_thread(_command, [*args, "--json"])

    async def rows(self, model: type[Base], *where: Any) -> list[Any]:
        async with self.db.read() as tx:
            return list((await tx.execute(select(model).where(*where))).all())

    async def count(self, model: type[Base], *where: Any) -> int:
        async with self.db.read() as tx:
            return int(await tx.scalar(select(func.count()).select_from(model).where(*where)) or 0)

    async def dump(self) -> dict[str, list[str]]:
        """Every row of every table as text, bytes as Latin-1, by table."""
        dumped: dict[str, list[str]] = {}
        async with self.db.read() as tx:
            for table in Base.metadata.sorted_tables:
                found = await tx.execute(table.select())
                dumped[table.name] = sorted(_as_text(row) for row in found)
        return dumped

    async def everything(self) -> dict[str, list[str]]:
        """The same without what the service sees to by itself: rules, and replies once sent."""
        kept = await self.dump()
        async with self.db.read() as tx:
            journal = await tx.execute(select(Intake.bot_id, Intake.update_id, Intake.problem))
        kept["intake"] = sorted(_as_text(row) for row in journal)
        return {table: rows for table, rows in kept.items() if table not in _RULES}


def _as_text(row: Any) -> str:
    return " | ".join(
        value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row
    )


def _command(args: list[str]) -> dict[str, Any]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main(args)
    assert code == 0, printed.getvalue()
    found: dict[str, Any] = json.loads(printed.getvalue())
    return found


async def eventually(
    look: Callable[[], Awaitable[T]],
    timeout: float = PATIENCE,  # noqa: ASYNC109
    every: float = 0.01,
) -> T:
    """The first truthy answer of ``look``, at something that tells nobody when it changes."""
    async with asyncio.timeout(timeout):
        while not (found := await look()):  # noqa: ASYNC110  # see above
            await asyncio.sleep(every)
    return found


# Below those that outgoing connections take, and apart from those of tests beside this one.
_ports = itertools.count(os.getpid() * 97)


def free_port() -> int:
    """A port nobody listens at now."""
    while True:
        port = 12_000 + next(_ports) % 20_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def town_settings(api: BotApi, database_url: str, **more: Any) -> Settings:
    port = free_port()
    given: dict[str, Any] = {
        "_env_file": None,
        "database_url": database_url,
        "http_port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "secret_key": SecretStr(SECRET_KEY),
        "telegram_token": SecretStr(TOKEN),
        "telegram_api": api.url,
        "demo": False,
    }
    return Settings(**given | more)


@contextlib.asynccontextmanager
async def open_town(
    database_url: str,
    clock: Callable[[], datetime] | None = None,
    *,
    cut_off: bool = False,
    **settings: Any,
) -> AsyncIterator[Town]:
    """A town that runs for as long as the block; ``clock`` begins on a Sunday unless given.

    ``cut_off``: Telegram is out of reach until ``api.start()``.
    """
    api = BotApi()
    await api.start()
    try:
        account = api.add_bot(TOKEN, "kinroom_bot")
        town = Town(
            api,
            account,
            town_settings(api, database_url, **settings),
            clock or TownClock(SUNDAY),
        )
        if cut_off:
            await api.stop()
        with _quiet():
            async with running(town.settings, clock=town.clock) as service:
                town.service = service
                yield town
    finally:
        await api.stop()


@contextlib.contextmanager
def _quiet() -> Any:
    """The service's logging set back at the end."""
    root = logging.getLogger()
    handlers, level, config = list(root.handlers), root.level, structlog.get_config()
    with pytest.MonkeyPatch.context() as patch:
        # Stories are told faster than people write; what is unasked would wait for the talk.
        patch.setattr(pace, "PRIVATE", (1000.0, 1000.0))
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)
            structlog.configure(**config)


@pytest.fixture
async def town(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    """A running town with two villages, on SQLite and on PostgreSQL."""
    monkeypatch.chdir(tmp_path)
    async with open_town(database_url) as opened:
        await opened.village()
        yield opened


@pytest.fixture
async def town_now(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    """The same by the real clock, with the environment that the command ``kinroom`` reads."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("KINROOM_")]:
        if not name.startswith("KINROOM_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KINROOM_DATABASE_URL", database_url)
    monkeypatch.setenv("KINROOM_SECRET_KEY", SECRET_KEY)
    async with open_town(database_url, lambda: datetime.now(UTC)) as opened:
        await opened.village()
        yield opened
