"""``kinroom migrate``: brings the database up."""

from typing import TYPE_CHECKING

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from bot.opening import Opened


def migrate(as_json: AsJson = False) -> None:
    """Make the database, or bring it to this version. Safe to repeat, and while others do."""
    from storage.migrate import known_versions

    async def work(opened: "Opened") -> tuple[str | None, str, str]:
        after = opened.after or known_versions()[-1]
        changed = opened.after is not None
        where = _shown(opened.settings.database)
        return (opened.before if changed else after), after, where

    before, after, where = with_database(work, bring_up=True)
    if before == after:
        line = f"The database is at version {after} already."
    elif before is None:
        line = f"Made the database {where}, version {after}."
    else:
        line = f"Brought the database from version {before} to {after}."
    show({"before": before, "after": after}, line, as_json=as_json)


def _shown(url: "URL") -> str:
    plain = url.set(drivername=url.get_backend_name())
    return plain.render_as_string(hide_password=True)
