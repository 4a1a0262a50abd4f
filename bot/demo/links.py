"""The links that a demo prints at its start."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bot.demo.county import demo_tokens
from bot.demo.names import TOWNS
from storage.database import Tx
from storage.models import Invite
from storage.people.areas import find_area
from storage.people.invites import make_invite
from storage.people.logins import make_login_link

_JOIN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DemoLinks:
    """Tokens: two chats to open as often as wished, an invite, and two one-time console logins.

    A chat whose person has left the demo is ``None``, and so is what only they could open.
    """

    worker: str | None
    liaison: str | None
    join: str
    console: str | None
    supervisor: str | None


async def make_demo_links(tx: Tx, now: datetime) -> DemoLinks | None:
    """Fresh links into the demo; ``None`` when there is none."""
    tokens = await demo_tokens(tx)
    if tokens is None:
        return None
    village = await find_area(tx, TOWNS[0].villages[0].code)
    worker_id = await _behind(tx, tokens.worker)
    liaison_id = await _behind(tx, tokens.liaison)
    supervisor_id = await _behind(tx, tokens.supervisor)
    return DemoLinks(
        worker=tokens.worker if worker_id is not None else None,
        liaison=tokens.liaison if liaison_id is not None else None,
        join=await make_invite(
            tx,
            kind="worker",
            area_id=village.id,
            uses=None,
            expires_at=now + _JOIN_FOR,
            by=liaison_id,
            now=now,
        ),
        console=await _login(tx, liaison_id, now),
        supervisor=await _login(tx, supervisor_id, now),
    )


async def _login(tx: Tx, officer_id: int | None, now: datetime) -> str | None:
    return await make_login_link(tx, officer_id, now) if officer_id is not None else None


async def _behind(tx: Tx, token: str) -> int | None:
    """The person whose chat a link opens."""
    found: int | None = await tx.scalar(
        select(Invite.person_id).where(Invite.token_key == tx.vault.lookup("invite", token))
    )
    return found
