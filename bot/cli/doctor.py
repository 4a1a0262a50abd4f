"""``kinroom doctor``: what is wrong, and what to mend."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from bot.cli.session import AsJson, show

if TYPE_CHECKING:
    from bot.doctor import Finding


def doctor(as_json: AsJson = False) -> None:
    """Check settings, database, secret key, Telegram, clock, disk and port; changes nothing."""
    from bot.doctor import examine
    from bot.settings import read_settings

    findings = asyncio.run(examine(read_settings()))
    healthy = all(finding.state != "broken" for finding in findings)
    show(
        {"ok": healthy, "checks": [asdict(finding) for finding in findings]},
        [_line(finding) for finding in findings],
        as_json=as_json,
    )
    if not healthy:
        raise typer.Exit(1)


def _line(finding: "Finding") -> str:
    mark = {"ok": "ok     ", "warning": "look   ", "broken": "BROKEN "}[finding.state]
    line = f"{mark}{finding.name}: {finding.says}"
    return f"{line}: {finding.mend}" if finding.mend and finding.state != "ok" else line
