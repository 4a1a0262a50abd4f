"""An invite link for a village, with its QR picture."""

import io
from datetime import datetime, timedelta

import segno
from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.methods import AnswerCallbackQuery, SendPhoto
from aiogram.types import BufferedInputFile, CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.liaison.areas import choose_area, only_area
from handlers.liaison.callbacks import AreaTap, TaskTap
from handlers.liaison.keyboards import menu_only
from handlers.liaison.show import Page, chat_of, remark
from handlers.liaison.words import Asks
from handlers.links import Links
from handlers.say import day
from storage.database import Tx
from storage.people.areas import AreaInfo
from storage.people.duties import access_area_by_id
from storage.people.invites import make_invite
from storage.people.who import Who

router = Router(name="liaison.invite")
LASTS = timedelta(days=30)
USES = 200


@router.message(StateFilter(None), Asks("invite"))
@router.callback_query(TaskTap.filter(F.task == "invite"))
async def offer_invite(
    event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime, links: Links
) -> Page:
    area = await only_area(tx, who)
    if area is None:
        return await choose_area(event, tx, who, "invite")
    return await _invite(event, tx, who, area, now, links)


@router.callback_query(AreaTap.filter(F.task == "invite"))
async def invite_to_area(
    tap: CallbackQuery, callback_data: AreaTap, tx: Tx, who: Who, now: datetime, links: Links
) -> Page:
    area = await access_area_by_id(tx, who.person_id, callback_data.area_id)
    if area is None:
        return remark(tap, _("That area isn't yours to look after."))
    return await _invite(tap, tx, who, area, now, links)


async def _invite(
    event: Message | CallbackQuery, tx: Tx, who: Who, area: AreaInfo, now: datetime, links: Links
) -> Page:
    until = now + LASTS
    token = await make_invite(
        tx,
        kind="worker",
        area_id=area.id,
        uses=USES,
        expires_at=until,
        by=who.person_id,
        now=now,
    )
    link = links.worker(token)
    web, telegram = link["web"] or "", link["telegram"]
    # Whoever is invited from Telegram is most likely on Telegram too; the web needs no app.
    in_picture = telegram if telegram and who.channel == "telegram" else web
    lines = [
        _("For {area}. Show this picture, or pass the link on:").format(area=area.name),
        *([_("Telegram: {link}").format(link=telegram)] if telegram else []),
        _("In any browser: {link}").format(link=web),
        _("Good until {day}, for up to {n} people.").format(day=day(until, who.timezone), n=USES),
    ]
    picture = SendPhoto(
        chat_id=chat_of(event),
        photo=BufferedInputFile(_qr(in_picture), filename=f"kinroom-{area.id}.png"),
        caption="\n".join(lines),
        reply_markup=menu_only(),
    )
    if isinstance(event, CallbackQuery):
        return [AnswerCallbackQuery(callback_query_id=event.id), picture]
    return [picture]


def _qr(link: str) -> bytes:
    picture = io.BytesIO()
    # Printed on a notice board, seen from a cheap phone: some error correction, a full quiet zone.
    segno.make_qr(link, error="m").save(picture, kind="png", scale=8, border=4)
    return picture.getvalue()
