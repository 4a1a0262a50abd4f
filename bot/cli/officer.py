"""``kinroom officer``: the people who look after workers."""

from datetime import timedelta
from typing import Annotated, Literal

import typer

from bot.cli.session import AreaCode, AsJson, show

app = typer.Typer(help="Liaisons, supervisors and admins.")

_VALID = timedelta(days=14)


@app.callback()
def _group() -> None:
    """Keeps ``invite`` a word of its own while it is the only command."""


@app.command("invite")
def invite_officer(
    area: AreaCode,
    role: Annotated[
        Literal["liaison", "supervisor", "admin"],
        typer.Option(help="What they may do in the area and below it."),
    ],
    name: Annotated[str, typer.Option(help="The officer's name, as workers will see it.")],
    as_json: AsJson = False,
) -> None:
    """Make a link that gives one person a role. It works once, within 14 days."""
    from bot.cli.invite import invite, link_lines
    from handlers.worker.names import LONGEST, check_name
    from storage.errors import Refused

    known_as = check_name(name)
    if known_as is None:
        raise Refused(f"a name of 1 to {LONGEST} characters is needed, with a letter in it")
    result = invite(
        kind="officer", area_code=area, role=role, name=known_as, uses=1, lifetime=_VALID
    )
    lines = [
        f"A link for {known_as} to become {role} of {area}; it works once, for {_VALID.days} days:",
        *link_lines(result["links"]),
    ]
    show(result, lines, as_json=as_json)
