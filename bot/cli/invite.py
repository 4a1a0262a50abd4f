"""Making a link, for officers and for workers alike."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from bot.cli.session import with_database

if TYPE_CHECKING:
    from bot.opening import Opened


def invite(
    *,
    kind: Literal["worker", "officer"],
    area_code: str,
    role: str | None = None,
    name: str | None = None,
    uses: int | None = None,
    lifetime: timedelta | None = None,
) -> dict[str, Any]:
    """``{"token", "links": {"telegram", "web"}}``; ``telegram`` is null without a bot."""
    from handlers.links import Links
    from storage.installation import TELEGRAM_USERNAME, find_value
    from storage.people.areas import find_area
    from storage.people.invites import make_invite

    async def work(opened: "Opened") -> dict[str, Any]:
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            area = await find_area(tx, area_code)
            token = await make_invite(
                tx,
                kind=kind,
                area_id=area.id,
                role=role,
                name=name,
                uses=uses,
                expires_at=now + lifetime if lifetime else None,
                by=None,
                now=now,
            )
            # Kept by the service once it has spoken to Telegram; a token taken away since
            # means that nobody answers there.
            username = await find_value(tx, TELEGRAM_USERNAME)
        links = Links(
            opened.settings.public_url, username if opened.settings.telegram_token else None
        )
        return {"token": token, "links": links.chat(token)}

    return with_database(work)


def link_lines(links: dict[str, str | None]) -> list[str]:
    telegram = links["telegram"]
    return [f"  web       {links['web']}", *([f"  telegram  {telegram}"] if telegram else [])]
