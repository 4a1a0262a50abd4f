"""Notices and services: the latest notices for the person's village, and who to ring."""

from datetime import datetime, timedelta

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message
from aiogram.utils.i18n import gettext as _

from handlers.say import Says, day, say
from handlers.words import Said
from handlers.worker.access import worker
from storage.database import Tx
from storage.outbox.notices import latest_notices
from storage.people.who import Who
from storage.register.contacts import record_heard

router = Router(name="notices")
router.message.filter(worker)
router.callback_query.filter(worker)
_SHOWN = 3
_EXCERPT = 600
_RECENT = timedelta(days=90)


@router.message(
    Said(
        frozenset({"政策与服务", "政策", "服务", "通知", "notices", "services"}),
        "Notices and services",
    )
)
async def show(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="notices")
    notices = await latest_notices(tx, who, since=now - _RECENT, limit=_SHOWN)
    if notices:
        parts = [_("The latest notices:")]
        for notice in notices:
            text = notice.text if len(notice.text) <= _EXCERPT else notice.text[:_EXCERPT] + "…"
            parts.append(f"{day(notice.at, who.timezone)}\n{text}")
    else:
        parts = [_("No notices in the last three months.")]
    if who.country in {None, "CN"}:
        parts.append(
            _("Wages and labour rights: 12333. Legal aid: 12348. Government services: 12345.")
        )
    parts.append(_("Anything else? Just write it here, and your liaison will answer."))
    return say(message.chat.id, "\n\n".join(parts))
