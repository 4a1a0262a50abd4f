"""Links that let someone in. A token is shown once; only its keyed hash is kept."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import bindparam, case, null, or_, select, update

from storage.database import Tx
from storage.models import Invite
from storage.vault import new_ref

Kind = Literal["worker", "officer", "device", "relative"]
_LETTER: Final[dict[Kind, str]] = {
    "worker": "w",
    "officer": "o",
    "device": "d",
    "relative": "r",
}
_SHAPE: Final = re.compile(r"[wodr][A-Za-z0-9_-]{21}\Z")


class BadInvite(Exception):
    """The token lets nobody in; ``why`` is ``malformed``, ``unknown``, ``used`` or ``expired``."""

    def __init__(self, why: Literal["malformed", "unknown", "used", "expired"]) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class InviteInfo:
    id: int
    kind: Kind
    area_id: int | None
    person_id: int | None
    role: str | None
    name: str | None
    made_at: datetime


async def make_invite(
    tx: Tx,
    *,
    kind: Kind,
    area_id: int | None = None,
    person_id: int | None = None,
    role: str | None = None,
    name: str | None = None,
    uses: int | None,
    expires_at: datetime | None,
    by: int | None,
    now: datetime,
) -> str:
    """A new token of 22 characters ``[A-Za-z0-9_-]``, the first telling its kind.

    ``uses`` or ``expires_at`` of ``None`` mean without limit.
    """
    token = _LETTER[kind] + secrets.token_urlsafe(16)[:21]
    ref = new_ref()
    await tx.execute(
        tx.insert(Invite).values(
            ref=ref,
            token_key=tx.vault.lookup("invite", token),
            kind=kind,
            area_id=area_id,
            person_id=person_id,
            role=role,
            name=tx.vault.seal("invite.name", ref, name) if name else None,
            uses_left=uses,
            expires_at=expires_at,
            created_by=by,
            created_at=now,
        )
    )
    return token


_FIND = select(Invite).where(Invite.token_key == bindparam("token_key"))


async def check_invite(tx: Tx, token: str, now: datetime) -> InviteInfo:
    """What the token lets its bearer do now. Raises :class:`BadInvite`."""
    if not _SHAPE.match(token):
        raise BadInvite("malformed")
    row = (await tx.execute(_FIND, {"token_key": tx.vault.lookup("invite", token)})).first()
    if row is None:
        raise BadInvite("unknown")
    if row.expires_at is not None and row.expires_at <= now:
        raise BadInvite("expired")
    if row.uses_left is not None and row.uses_left <= 0:
        raise BadInvite("used")
    name = tx.vault.open("invite.name", row.ref, row.name) if row.name else None
    return InviteInfo(row.id, row.kind, row.area_id, row.person_id, row.role, name, row.created_at)


async def use_invite(tx: Tx, invite_id: int) -> bool:
    """Take one use; ``False`` when another took the last one first.

    The officer's name goes with the last use.
    """
    taken = await tx.execute(
        update(Invite)
        .where(Invite.id == invite_id, or_(Invite.uses_left.is_(None), Invite.uses_left > 0))
        .values(
            uses_left=Invite.uses_left - 1,
            name=case((Invite.uses_left <= 1, null()), else_=Invite.name),
        )
    )
    return taken.rowcount == 1
