"""My data: when of the day to ask, how often, and through what."""

from datetime import datetime
from typing import Final

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.say import Says, replace, say, toast
from handlers.words import Said
from handlers.worker.access import worker
from handlers.worker.rhythm_page import (
    back_to_rhythm,
    channel_name,
    channels_to_choose,
    hour_buttons,
    hour_words,
    rhythm_page,
    tap,
)
from handlers.worker.typed import TakesWords
from scheduler.coming import next_checkin
from storage.database import Tx
from storage.people.hours import Hours, hours_of, set_ask_minute, set_prefers
from storage.people.status import set_slower
from storage.people.who import Who
from storage.register.contacts import record_heard

router = Router(name="rhythm")
router.message.filter(worker)
router.callback_query.filter(worker)
router.message.middleware(TakesWords())
router.callback_query.middleware(TakesWords())
_STEP: Final = 30
_OFTEN: Final = {"0": (False, False), "1": (True, False), "2": (True, True)}


@router.message(Said(frozenset({"什么时候问我", "几点问我", "/when"}), "When you ask me"))
async def show(message: Message, tx: Tx, who: Who, now: datetime) -> Says:
    await record_heard(tx, who, now, kind="message", outcome="data")
    return say(message.chat.id, *await rhythm_page(tx, who, now))


@router.callback_query(DataTap.filter(F.act == "rhythm"))
async def tap_page(tapped: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now))]


@router.callback_query(DataTap.filter((F.act == "hour") & F.value.in_({"earlier", "later"})))
async def tap_shift(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """Half an hour earlier or later, over what the person keeps quiet."""
    hours = await hours_of(tx, who.person_id)
    coming = await next_checkin(tx, who.person_id, hours, now)
    if coming is None or coming.minute is None:
        return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now))]
    later = callback_data.value == "later"
    step = _STEP if later else -_STEP
    minute = coming.minute + step
    while coming.earliest <= minute <= coming.latest and is_quiet(hours, minute):
        minute += step
    if not coming.earliest <= minute <= coming.latest:
        end = _("That's as late as we ask.") if later else _("That's as early as we ask.")
        return toast(tapped, end)
    return await _fixed(tapped, tx, who, minute, now)


@router.callback_query(DataTap.filter(F.act == "hours"))
async def tap_hours(tapped: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    minutes = await _hours_to_pick(tx, who, now)
    rows = hour_buttons(
        [minute // 60 for minute in minutes], lambda hour: tap("hour", str(hour * 60))
    )
    markup = InlineKeyboardMarkup(inline_keyboard=[*rows, back_to_rhythm()])
    text = _("What time of day suits you? By your own clock.")
    return [toast(tapped), replace(tapped, text, markup)]


@router.callback_query(DataTap.filter((F.act == "hour") & F.value.regexp(r"^\d{1,4}$")))
async def tap_hour(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    minute = int(callback_data.value)
    if not await _may_ask(tx, who, minute, now):
        # Written, or the village asks at other hours by now, or the person keeps this one quiet.
        note = _("We can't ask at that time. Here is how it stands.")
        return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]
    return await _fixed(tapped, tx, who, minute, now)


@router.callback_query(DataTap.filter((F.act == "hour") & (F.value == "auto")))
async def tap_learn(tapped: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    await set_ask_minute(tx, who, None)
    note = _("Good. We'll find the hour by when you answer.")
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]


async def _fixed(tapped: CallbackQuery, tx: Tx, who: Who, minute: int, now: datetime) -> Says:
    await set_ask_minute(tx, who, minute)
    note = _("Good. From now on at about {time}.").format(time=hour_words(minute))
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]


async def _hours_to_pick(tx: Tx, who: Who, now: datetime) -> list[int]:
    """The full hours at which the village's rules may ask and the person keeps no quiet."""
    hours = await hours_of(tx, who.person_id)
    coming = await next_checkin(tx, who.person_id, hours, now)
    if coming is None:
        return []
    first = -(-coming.earliest // 60) * 60
    full = range(first, coming.latest + 1, 60)
    return [minute for minute in full if not is_quiet(hours, minute)]


async def _may_ask(tx: Tx, who: Who, minute: int, now: datetime) -> bool:
    hours = await hours_of(tx, who.person_id)
    coming = await next_checkin(tx, who.person_id, hours, now)
    if coming is None or not coming.earliest <= minute <= coming.latest:
        return False
    return minute % 15 == 0 and not is_quiet(hours, minute)


def is_quiet(hours: Hours, minute: int) -> bool:
    """Whether a minute of the day is one that the person keeps quiet."""
    start, end = hours.quiet_from * 60, hours.quiet_to * 60
    if start <= end:
        return start <= minute < end
    return minute >= start or minute < end


@router.callback_query(DataTap.filter(F.act == "often"))
async def tap_often(tapped: CallbackQuery) -> Says:
    markup = InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("Each time"), tap("slower", "0"))],
            [button(_("Every other time"), tap("slower", "1"))],
            [button(_("Once a month"), tap("slower", "2"))],
            back_to_rhythm(),
        ]
    )
    text = _("How often shall we ask how you are? Whatever you choose, nobody minds.")
    return [toast(tapped), replace(tapped, text, markup)]


@router.callback_query(DataTap.filter((F.act == "slower") & F.value.in_(_OFTEN)))
async def tap_slower(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    slower, monthly = _OFTEN[callback_data.value]
    await set_slower(tx, who, slower, now, monthly=monthly)
    note = _("Good. We'll ask less often.") if slower else _("Good. We'll ask each time again.")
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]


@router.callback_query(DataTap.filter((F.act == "channel") & (F.value == "")))
async def tap_channels(tapped: CallbackQuery, tx: Tx, who: Who) -> Says:
    channels = channels_to_choose(await hours_of(tx, who.person_id))
    rows = [[button(_capital(channel_name(it)), tap("channel", it))] for it in channels]
    rows.append([button(_("Wherever I was last"), tap("channel", "last"))])
    markup = InlineKeyboardMarkup(inline_keyboard=[*rows, back_to_rhythm()])
    text = _("Where shall we write to you? If that can't be reached, we use the other one.")
    return [toast(tapped), replace(tapped, text, markup)]


@router.callback_query(DataTap.filter((F.act == "channel") & (F.value != "")))
async def tap_channel(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    chosen = callback_data.value
    if chosen == "last":
        await set_prefers(tx, who, None)
        note = _("Good. We'll write to wherever you were last.")
    elif chosen in channels_to_choose(await hours_of(tx, who.person_id)):
        await set_prefers(tx, who, chosen)
        note = _("Good. From now on through {channel}.").format(channel=channel_name(chosen))
    else:
        note = _("We can't reach you there just now, so nothing has changed.")
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
