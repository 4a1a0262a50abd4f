"""What became of a broadcast: how many have it, how many wait, who did not get it; and its stop."""

from datetime import datetime

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import OutcomeTap, StopTap
from handlers.liaison.keyboards import Rows, button, menu_row
from handlers.liaison.show import Page, remark, show
from handlers.reasons import reason_words, waits_words
from storage.database import Tx
from storage.outbox.broadcasts import BroadcastInfo, access_broadcast, stop_broadcast
from storage.outbox.recipients import MISSED, Figures, Recipient, count_recipients, list_recipients
from storage.people.looks import record_look
from storage.people.who import Who

router = Router(name="liaison.outcome")
NAMED = 10


@router.callback_query(OutcomeTap.filter())
async def show_outcome(
    tap: CallbackQuery, callback_data: OutcomeTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await _page(tap, tx, who, now, callback_data.broadcast_id)


@router.callback_query(StopTap.filter(~F.sure))
async def ask_stop(tap: CallbackQuery, callback_data: StopTap, tx: Tx, who: Who) -> Page:
    sent = await access_broadcast(tx, who.person_id, callback_data.broadcast_id)
    if sent is None:
        return remark(tap, _("That notice isn't yours to see."))
    if sent.state != "running":
        return remark(tap, _over(sent))
    figures = await count_recipients(tx, sent)
    lines = [
        _("Stop the notice for {area}?").format(area=sent.area_name),
        ngettext(
            "{n} person has it already, that can't be taken back.",
            "{n} people have it already, that can't be taken back.",
            figures.sent,
        ).format(n=figures.sent),
        ngettext(
            "{n} person won't get it any more.",
            "{n} people won't get it any more.",
            figures.waiting,
        ).format(n=figures.waiting),
    ]
    rows = [
        [button(_("Yes, stop it"), StopTap(broadcast_id=sent.id, sure=True))],
        [button(_("No, let it go on"), OutcomeTap(broadcast_id=sent.id))],
    ]
    return show(tap, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


@router.callback_query(StopTap.filter(F.sure))
async def stop(tap: CallbackQuery, callback_data: StopTap, tx: Tx, who: Who, now: datetime) -> Page:
    sent = await access_broadcast(tx, who.person_id, callback_data.broadcast_id)
    if sent is None:
        return remark(tap, _("That notice isn't yours to see."))
    if await stop_broadcast(tx, sent.id, by=who.person_id, now=now):
        return await _page(tap, tx, who, now, sent.id)
    # Over, or stopped by someone else, since the question was asked.
    return await _page(tap, tx, who, now, sent.id, _over(sent))


def _over(sent: BroadcastInfo) -> str:
    if sent.stopped_at is not None:
        return _("It was stopped already.")
    return _("It is over already: nobody waits for it any more.")


async def _page(
    tap: CallbackQuery,
    tx: Tx,
    who: Who,
    now: datetime,
    broadcast_id: int,
    note: str | None = None,
) -> Page:
    sent = await access_broadcast(tx, who.person_id, broadcast_id)
    if sent is None:
        return remark(tap, _("That notice isn't yours to see."))
    figures = await count_recipients(tx, sent)
    lines = _figures(sent, figures)
    lost = figures.missed + figures.unknown
    if lost:
        people = await list_recipients(tx, who.person_id, sent.id, MISSED, limit=NAMED)
        if any(person.name is not None for person in people):
            await record_look(tx, who.person_id, now, what="broadcast", area_id=sent.area_id)
        lines += ["", *(_line(person) for person in people)]
        if lost > len(people):
            more = lost - len(people)
            lines.append(ngettext("and {n} more", "and {n} more", more).format(n=more))
    rows: Rows = []
    if figures.waiting:
        rows.append([button(_("How is it now?"), OutcomeTap(broadcast_id=sent.id))])
        if sent.state == "running":
            rows.append(stop_row(sent.id))
    elif note is None:
        note = _("All done.")
    rows.append(menu_row())
    return show(tap, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows), note)


def stop_row(broadcast_id: int) -> list[InlineKeyboardButton]:
    return [button(_("Stop it"), StopTap(broadcast_id=broadcast_id, sure=False))]


def _figures(sent: BroadcastInfo, figures: Figures) -> list[str]:
    lines = [_("The notice for {area}:").format(area=sent.area_name)]
    if sent.stopped_at is not None:
        why = sent.stopped_by_name or reason_words(sent.stop_reason)
        lines.append(_("Stopped ({who}).").format(who=why) if why else _("Stopped."))
    if not sent.audience and sent.state != "running":
        lines.append(_("There was nobody to send it to."))
        return lines
    arrived, waiting = figures.sent, figures.waiting
    lines.append(ngettext("{n} person has it", "{n} people have it", arrived).format(n=arrived))
    if waiting:
        lines.append(ngettext("{n} still to go", "{n} still to go", waiting).format(n=waiting))
        for why, count in waits_words(figures.waits):
            lines.append(f"• {why}: {count}")
    if missed := figures.missed:
        lines.append(ngettext("{n} didn't get it", "{n} didn't get it", missed).format(n=missed))
    if unknown := figures.unknown:
        lines.append(
            ngettext(
                "for {n} it isn't certain; it is not sent twice",
                "for {n} it isn't certain; it is not sent twice",
                unknown,
            ).format(n=unknown)
        )
    return lines


def _line(person: Recipient) -> str:
    if person.name is None:
        name = _("someone who has left")
    else:
        name = person.name or _("Someone without a name")
    states = {
        "failed": _("couldn't be delivered"),
        "expired": _("couldn't be delivered in time"),
        "cancelled": _("was held back"),
        "unknown": _("not certain"),
    }
    why = reason_words(person.reason) or states[person.state]
    return f"{name}: {why}"
