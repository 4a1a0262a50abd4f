"""Which clock somebody goes by where their place does not settle it: asked by what it shows."""

from datetime import datetime, timedelta

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.say import Says, clock_time, replace, toast
from handlers.worker.access import worker
from handlers.worker.rhythm_page import back_to_rhythm, city_of, rhythm_page, tap
from handlers.worker.typed import TakesWords
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.people.hours import hours_of, set_zone
from storage.people.places import Place, place_name
from storage.people.who import Who
from storage.people.zones import zones_of, zones_to_choose

router = Router(name="clock")
router.callback_query.filter(worker)
router.callback_query.middleware(TakesWords())


def is_unclear(place: Place) -> bool:
    """Whether people at this place may go by different clocks."""
    return place.timezone is None and len(zones_of(place.country)) > 1


def ask_clock(place: Place, language: str, now: datetime) -> tuple[str, InlineKeyboardMarkup]:
    """The question after a country with several clocks, answered by one tap."""
    name = place_name(place.country, place.province, place.city, language) or place.country
    text = _(
        "{place} has more than one clock. What time is it where you are? "
        "Then nothing from us comes at night."
    ).format(place=name)
    return text, InlineKeyboardMarkup(inline_keyboard=_clocks("zone", place.country, now))


def _clocks(act: str, country: str | None, now: datetime) -> list[list[InlineKeyboardButton]]:
    """The clocks to choose from by what they show now, from west to east."""
    zones = sorted(zones_to_choose(country), key=lambda zone: _offset(zone, now))
    return [
        [
            button(
                _("{time} · {city}").format(time=clock_time(now, zone), city=city_of(zone)),
                tap(act, zone),
            )
        ]
        for zone in zones
    ]


def _offset(zone: str, now: datetime) -> timedelta:
    return now.astimezone(zone_of(zone)).utcoffset() or timedelta(0)


@router.callback_query(DataTap.filter((F.act == "clock") & (F.value == "")))
async def tap_clock(tapped: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    return await _ask_again(tapped, tx, who, now)


async def _ask_again(tapped: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    hours = await hours_of(tx, who.person_id)
    rows = _clocks("clock", hours.country, now)
    rows.append([button(_("Say where I am instead"), tap("place"))])
    if hours.own_zone:
        rows.append([button(_("Go by my village's clock"), tap("clock", "village"))])
    text = _("What time is it where you are? Tap the one that your clock shows.")
    markup = InlineKeyboardMarkup(inline_keyboard=[*rows, back_to_rhythm()])
    return [toast(tapped), replace(tapped, text, markup)]


@router.callback_query(DataTap.filter((F.act == "clock") & (F.value != "")))
async def tap_choose(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    chosen = callback_data.value
    if chosen == "village":
        await set_zone(tx, who, None)
    elif chosen in zones_to_choose((await hours_of(tx, who.person_id)).country):
        await set_zone(tx, who, chosen)
    else:
        # They have said another place since this was asked.
        return await _ask_again(tapped, tx, who, now)
    zone = (await hours_of(tx, who.person_id)).timezone
    note = _("Good. It is {time} where you are.").format(time=clock_time(now, zone))
    return [toast(tapped), replace(tapped, *await rhythm_page(tx, who, now, note))]


@router.callback_query(DataTap.filter(F.act == "zone"))
async def tap_answer(
    tapped: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """The answer to the question after a place: a receipt, and the way to say another."""
    chosen = callback_data.value
    if chosen not in zones_to_choose((await hours_of(tx, who.person_id)).country):
        return await _ask_again(tapped, tx, who, now)
    await set_zone(tx, who, chosen)
    said = _("Thank you. It is {time} where you are, and nights are yours to sleep.").format(
        time=clock_time(now, chosen)
    )
    other = button(_("My clock shows another time"), tap("clock"))
    return [toast(tapped), replace(tapped, said, InlineKeyboardMarkup(inline_keyboard=[[other]]))]
