"""Running the command as an operator does, in this process."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from bot.cli import main
from storage.database import Database, Tx
from storage.vault import Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left: exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object it printed."""
        assert self.code == 0, self.err
        assert self.err == ""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line it complained with."""
        assert self.code != 0
        assert self.out == ""
        assert self.err.startswith("kinroom: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("kinroom: ").rstrip("\n")


class Command:
    """Calls ``kinroom`` with arguments."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured

    def __call__(self, *arguments: str) -> Done:
        self._captured.readouterr()
        code = main(list(arguments))
        out, err = self._captured.readouterr()
        return Done(code, out, err)


def write_to(url: str, vault: Vault, work: Callable[[Tx], Awaitable[T]]) -> T:
    """Look at or change the database between two commands, in one transaction."""

    async def run() -> T:
        db = Database(url, vault, pool_size=1)
        try:
            async with db.write() as tx:
                return await work(tx)
        finally:
            await db.close()

    return asyncio.run(run())
