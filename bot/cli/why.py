"""``kinroom why``: why something was, or was not, sent to a person on a day."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.dates import read_date
from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.rhythm.why_facts import Why


def why(
    person: Annotated[
        str, typer.Argument(metavar="PERSON", help="A ref, an id, a phone number or a whole name.")
    ],
    day: Annotated[
        str | None,
        typer.Option("--day", metavar="DATE", help="A day of theirs; else today."),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="zh or en; else the terminal's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell why something was, or was not, sent to someone: rules, clock, consent, chats.

    Past days rest on what is kept, coming ones on the rules and the person as they are now. Of
    reminders nothing more is told than that they went: they are each person's own choice.
    """
    from bot.settings import terminal_language
    from handlers.moments import Moments
    from handlers.why_words import PARTS, part_word, sentences, told
    from locales.catalogs import Catalogs
    from storage.people.areas import check_language
    from storage.people.finding import find_person
    from storage.rhythm.why import explain
    from storage.rhythm.why_facts import as_json as fact_json

    spoken = language or terminal_language()
    check_language(spoken)
    asked = None if day is None else read_date("--day", day)
    now = datetime.now(UTC)

    async def work(opened: "Opened") -> "Why":
        async with opened.db.read() as tx:
            found = await find_person(tx, person)
            return await explain(tx, found.person_id, asked, now)

    found = with_database(work)
    catalogs = Catalogs()
    with catalogs.context(), catalogs.use_locale(spoken):
        when = Moments(found.timezone, now.date())
        result: dict[str, Any] = {
            "person": found.ref,
            "day": found.day.isoformat(),
            "timezone": found.timezone,
            "facts": [
                fact_json(fact) | {"words": words} for fact, words in sentences(found, now.date())
            ],
        }
        lines = [f"{found.name or found.ref}, {when.day(found.day)}"]
        parts = told(found, now.date())
        for part in PARTS:
            if parts[part]:
                lines += ["", part_word(part), *(f"  {words}" for words in parts[part])]
    show(result, lines, as_json=as_json)
