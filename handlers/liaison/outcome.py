"""What became of a broadcast: how many have it, how many wait, and who did not get it."""

from datetime import datetime

from aiogram import Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import OutcomeTap
from handlers.liaison.keyboards import button, menu_row
from handlers.liaison.show import Page, remark, show
from storage.broadcasts import broadcast_outcome
from storage.database import Tx
from storage.looks import record_look
from storage.people import Who
from storage.undelivered import Missed, access_broadcast, missed_by_broadcast

router = Router(name="liaison.outcome")
NAMED = 10


@router.callback_query(OutcomeTap.filter())
async def show_outcome(
    tap: CallbackQuery, callback_data: OutcomeTap, tx: Tx, who: Who, now: datetime
) -> Page:
    sent = await access_broadcast(tx, who.person_id, callback_data.broadcast_id)
    if sent is None:
        return remark(tap, _("That notice isn't yours to see."))
    states = await broadcast_outcome(tx, sent.id)
    arrived = states.get("sent", 0)
    waiting = states.get("queued", 0) + states.get("sending", 0)
    missed = sum(states.get(state, 0) for state in ("failed", "expired", "cancelled"))
    unknown = states.get("unknown", 0)
    lines = [
        _("The notice for {area}:").format(area=sent.area_name),
        ngettext("{n} person has it", "{n} people have it", arrived).format(n=arrived),
    ]
    if waiting:
        lines.append(ngettext("{n} still to go", "{n} still to go", waiting).format(n=waiting))
    if missed:
        lines.append(ngettext("{n} didn't get it", "{n} didn't get it", missed).format(n=missed))
    if unknown:
        lines.append(
            ngettext(
                "for {n} it isn't certain; it is not sent twice",
                "for {n} it isn't certain; it is not sent twice",
                unknown,
            ).format(n=unknown)
        )
    if missed or unknown:
        people = await missed_by_broadcast(tx, who.person_id, sent.id, limit=NAMED)
        if people:
            await record_look(tx, who.person_id, now, what="broadcast", area_id=sent.area_id)
        lines += ["", *(_line(person) for person in people)]
        if missed + unknown > len(people):
            more = missed + unknown - len(people)
            lines.append(ngettext("and {n} more", "and {n} more", more).format(n=more))
    rows = [
        [button(_("How is it now?"), OutcomeTap(broadcast_id=sent.id))],
        menu_row(),
    ]
    if not waiting:
        rows = rows[1:]
    note = None if waiting else _("All done.")
    return show(tap, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows), note)


def _line(person: Missed) -> str:
    name = person.name or _("Someone without a name")
    reasons = {
        "blocked": _("blocked the chat"),
        "gone": _("the chat is gone"),
        "no account": _("no chat to reach them at"),
        "paused": _("taking a break from messages"),
        "the person has left": _("has left"),
    }
    states = {
        "failed": _("couldn't be delivered"),
        "expired": _("couldn't be delivered in time"),
        "cancelled": _("was held back"),
        "unknown": _("not certain"),
    }
    why = reasons.get(person.reason or "") or states[person.state]
    return f"{name}: {why}"
