"""``kinroom worker``: the people who are away."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.session import AreaCode, AsJson, show

app = typer.Typer(help="Workers away from home.")


@app.callback()
def _group() -> None:
    """Keeps ``invite`` a word of its own while it is the only command."""


@app.command("invite")
def invite_worker(
    area: AreaCode,
    uses: Annotated[
        int | None, typer.Option(min=1, help="How many people may join with it; else any number.")
    ] = None,
    qr: Annotated[
        Path | None, typer.Option("--qr", metavar="FILE", help="Write the link as a QR code, SVG.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a link with which people of a village join."""
    from bot.cli.invite import invite, link_lines
    from storage.errors import Refused

    if qr is not None and not qr.parent.is_dir():
        raise Refused(f"there is no folder {qr.parent} for the QR code")
    result = invite(kind="worker", area_code=area, uses=uses)
    links = result["links"]
    often = (
        "any number of people" if uses is None else f"{uses} people" if uses > 1 else "one person"
    )
    lines = [f"A link to join {area}, for {often}:", *link_lines(links)]
    if qr is not None:
        import segno

        # One channel in the picture: Telegram where the village has a bot.
        segno.make(links["telegram"] or links["web"], error="m").save(
            str(qr), kind="svg", scale=8, border=4
        )
        lines.append(f"Its QR code is in {qr}.")
    show(result, lines, as_json=as_json)
