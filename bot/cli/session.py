"""What every command does: read the settings, open the database, work, print, close."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.database import Database, Tx

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Text = Annotated[str, typer.Option("--text", help="What the message says.")]
AreaCode = Annotated[str, typer.Option("--area", metavar="CODE", help="The area's code.")]
WithinArea = Annotated[
    str | None, typer.Option("--area", metavar="CODE", help="Only of this area and below it.")
]
Newest = Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")]


def with_database(work: "Callable[[Opened], Awaitable[T]]", *, bring_up: bool = False) -> T:
    """Run ``work`` on the database the settings name; ``bring_up`` makes or upgrades it first."""
    from bot.opening import open_database
    from bot.settings import read_settings

    settings = read_settings()

    async def session() -> T:
        opened = await open_database(settings, bring_up=bring_up, pool_size=2)
        try:
            return await work(opened)
        finally:
            await opened.db.close()

    return asyncio.run(session())


def check_text(text: str, longest: int = 3000) -> str:
    """``text`` without white space around it. Raises ``Refused`` when empty or too long.

    Telegram takes 4,096 UTF-16 units a message; the rest is for the greeting around it.
    """
    from storage.errors import Refused

    text = text.strip()
    if not text:
        raise Refused("the text is empty")
    units = len(text.encode("utf-16-le")) // 2
    if units > longest:
        raise Refused(f"the text is {units} characters long; {longest} fit in a message")
    return text


def check_given(area: str | None, text: str | None) -> tuple[str, str]:
    """An area's code and a checked text, where there are commands that need neither."""
    for name, given in (("--area", area), ("--text", text)):
        if given is None:
            raise typer.BadParameter(f"Missing option '{name}'.")
    assert area is not None
    assert text is not None
    return area, check_text(text)


async def write_the_rest(
    db: "Database", write_next: "Callable[[Tx, datetime], Awaitable[bool]]"
) -> None:
    """Write what goes to many, a part in each transaction, until ``write_next`` finds no more.

    Also where no service runs; a service that does may write at the same time.
    """
    more = True
    while more:
        async with db.write() as tx:
            more = await write_next(tx, datetime.now(UTC))


def show(result: Any, lines: str | list[str], *, as_json: bool) -> None:
    """Print ``result`` as JSON, or ``lines`` for a person."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(lines if isinstance(lines, str) else "\n".join(lines))
