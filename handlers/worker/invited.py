"""An invite link as it is opened: whose it is, what is agreed to, and why it lets nobody in."""

from dataclasses import dataclass
from datetime import datetime

from aiogram.utils.i18n import gettext as _

from handlers.say import in_both
from handlers.worker.consent import (
    officer_consent,
    relative_consent,
    worker_consent,
    worker_consent_more,
)
from storage.database import Tx
from storage.family.links import find_inviter
from storage.family.ties import Spoken
from storage.people.areas import get_area
from storage.people.invites import BadInvite, InviteInfo, check_invite


@dataclass(frozen=True, slots=True)
class Invited:
    """A link that is good now. ``inviter`` is the worker whose family it is for, else None."""

    invite: InviteInfo
    area: str
    inviter: Spoken | None = None

    def greeting(self) -> str:
        """The first words, in every first language."""
        hello = in_both("Hello, this is the family room of {area}.", area=self.area)
        if self.inviter is None:
            return hello
        sender = in_both("You have this link from {name}.", name=self.inviter.name)
        return f"{hello}\n\n{sender}"

    def consent_words(self, *, more: bool = False) -> str:
        """What is agreed to, in the reader's language."""
        if self.inviter is not None:
            return relative_consent(self.inviter.name, self.area)
        if self.invite.kind == "officer":
            return officer_consent(self.area)
        return worker_consent_more(self.area) if more else worker_consent(self.area)


async def read_invite(tx: Tx, token: str, now: datetime) -> Invited:
    """The link behind the token. Raises :class:`BadInvite`, also for a worker who has left.

    A link for another device is for the web chat page; it lets nobody in here.
    """
    invite = await check_invite(tx, token, now)
    if invite.kind == "device":
        raise BadInvite("unknown")
    if invite.kind == "relative":
        inviter = await find_inviter(tx, invite)
        if inviter is None:
            raise BadInvite("unknown")
        return Invited(invite, inviter.area_name, inviter)
    return Invited(invite, (await get_area(tx, invite.area_id or 0)).name)


def why_not(bad: BadInvite, token: str = "") -> str:
    """Why a link lets nobody in, and what to do."""
    if bad.why == "malformed":
        return _("This link is not whole. Please open it again, or ask for a new one.")
    if token.startswith("r"):
        # Not why it is gone: that may be the worker's own business.
        return {
            "unknown": _("This link leads nowhere any more. Please ask whoever sent it."),
            "used": _("This link has been used. Please ask whoever sent it for a new one."),
            "expired": _("This link is too old. Please ask whoever sent it for a new one."),
        }[bad.why]
    return {
        "unknown": _("This link is not one of ours. Please ask your village for a new one."),
        "used": _("This link has been used up. Please ask your village for a new one."),
        "expired": _("This link is too old by now. Please ask your village for a new one."),
    }[bad.why]
