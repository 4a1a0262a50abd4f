"""The same web chat on another phone, through a link that works once."""

from datetime import datetime, timedelta
from typing import Final

from aiogram import F, Router
from aiogram.types import CallbackQuery
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.links import Links
from handlers.say import Says, say, toast
from handlers.worker.access import known
from storage.database import Tx
from storage.people.invites import make_invite
from storage.people.who import Who

router = Router(name="device")
router.message.filter(known)
router.callback_query.filter(known)
_VALID: Final = timedelta(minutes=15)


@router.callback_query(DataTap.filter(F.act == "device"))
async def tap_device(tap: CallbackQuery, tx: Tx, who: Who, links: Links, now: datetime) -> Says:
    token = await make_invite(
        tx,
        kind="device",
        person_id=who.person_id,
        uses=1,
        expires_at=now + _VALID,
        by=who.person_id,
        now=now,
    )
    return [
        toast(tap),
        say(
            tap.from_user.id,
            _(
                "Open this link on the other phone within 15 minutes. It works once and opens "
                "your conversation, so keep it to yourself.\n{link}"
            ).format(link=links.device(token)["web"]),
        ),
    ]
