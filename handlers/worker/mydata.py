"""My data: what is held, who looked, and every way to change it."""

import json
from collections.abc import Mapping
from datetime import datetime

from aiogram import Bot, F, Router
from aiogram.filters import StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.methods import SendDocument
from aiogram.types import (
    BufferedInputFile,
    CallbackQuery,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
)
from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.abilities import Abilities
from handlers.callbacks import DataTap
from handlers.keyboards import button, place_choice
from handlers.relative.menu import asked_about_button
from handlers.say import (
    LANGUAGES,
    Says,
    day,
    language_name,
    replace,
    say,
    status_name,
    toast,
    zone_name,
)
from handlers.words import MY_DATA, Said
from handlers.worker.access import known
from handlers.worker.family import family_button
from handlers.worker.menu import main_menu
from handlers.worker.names import check_name, name_refused
from handlers.worker.place import ask_place
from handlers.worker.rhythm_page import hour_words, quiet_words, rhythm_button
from handlers.worker.states import Telling
from handlers.worker.topics_page import open_topics
from storage.database import Tx
from storage.people.enrolment import rename
from storage.people.held import Held, held_about
from storage.people.looks import looks_at
from storage.people.mydata import export_person
from storage.people.places import place_name
from storage.people.status import set_language
from storage.people.who import Who
from storage.register.contacts import record_heard

router = Router(name="mydata")
router.message.filter(known)
router.callback_query.filter(known)
_LOOKS = 5
_A_DAY = 8


@router.message(Said(MY_DATA, "My data"))
async def show(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
    bot: Bot,
    abilities_of: Mapping[int, Abilities],
) -> Says:
    if who.is_worker or who.is_officer:
        await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="data")
    held = await held_about(tx, who.person_id)
    links = abilities_of[bot.id].device_links
    return say(message.chat.id, await _page(tx, who, held), _buttons(who, held, device_links=links))


@router.callback_query(DataTap.filter(F.act == "page"))
async def tap_page(
    tap: CallbackQuery, tx: Tx, who: Who, bot: Bot, abilities_of: Mapping[int, Abilities]
) -> Says:
    held = await held_about(tx, who.person_id)
    links = abilities_of[bot.id].device_links
    return [
        toast(tap),
        replace(tap, await _page(tx, who, held), _buttons(who, held, device_links=links)),
    ]


async def _page(tx: Tx, who: Who, held: Held) -> str:
    place = place_name(held.country, held.province, held.city, who.language) or held.place
    lines = [
        _("What we hold about you:"),
        _("Name: {name}").format(name=held.name or "—"),
        *(_duty(role, area) for role, area in held.duties),
    ]
    # Who never joined as a worker has no village, and told nobody how they are.
    if who.is_worker:
        lines.append(_("Village: {village}").format(village=held.area or "—"))
    if who.is_worker or place:
        lines.append(_("Where you are: {place}").format(place=place or "—"))
    if who.is_worker or held.status == "paused":
        lines.append(_("Right now: {status}").format(status=status_name(held.status)))
    lines += [
        _("Language: {language}").format(language=language_name(who.language)),
        _("Quiet hours: {hours} ({zone})").format(
            hours=quiet_words(held.quiet_from, held.quiet_to), zone=zone_name(held.timezone)
        ),
    ]
    if held.paused_until is not None:
        lines.append(_("Paused until {day}").format(day=day(held.paused_until, held.timezone)))
    if held.slower:
        lines.append(_("You asked to be asked less often."))
    if who.is_worker and held.ask_minute is not None:
        asked_at = hour_words(held.ask_minute)
        lines.append(_("You chose to be asked at about {time}.").format(time=asked_at))
    elif who.is_worker and held.usual_minute is not None:
        usual = hour_words(held.usual_minute // 15 * 15)
        lines.append(_("You usually answer around {time}, so we ask then.").format(time=usual))
    if held.consented_at is not None:
        lines.append(_("You agreed on {day}.").format(day=day(held.consented_at, held.timezone)))
    lines.append(
        ngettext(
            "We noted {n} time that we heard from you.",
            "We noted {n} times that we heard from you.",
            held.contacts,
        ).format(n=held.contacts)
    )
    lines.append("")
    lines += await who_looked(tx, who, held.timezone)
    return "\n".join(lines)


def _duty(role: str, area: str) -> str:
    return {
        "liaison": _("Your duty: liaison for {area}"),
        "supervisor": _("Your duty: supervisor of {area}"),
    }.get(role, _("Your duty: in charge of {area}")).format(area=area)


async def who_looked(tx: Tx, who: Who, timezone: str) -> list[str]:
    """Which officers looked last, and on which days: once a day, however often on it."""
    looks = await looks_at(tx, who.person_id, limit=_LOOKS * _A_DAY)
    if not looks:
        return [_("No one has looked at your record.")]
    days = dict.fromkeys(
        _("• {name}, {day}").format(
            name=look.by_name or _("an officer"), day=day(look.at, timezone)
        )
        for look in looks
    )
    title = _("Who looked at your record, or at a list with your name:")
    return [title, *list(days)[:_LOOKS]]


def _tap(act: str, value: str = "") -> str:
    return DataTap(act=act, value=value).pack()


def _buttons(who: Who, held: Held, *, device_links: bool) -> InlineKeyboardMarkup:
    pause = (
        button(_("End the pause"), _tap("resume"))
        if held.status == "paused"
        else button(_("Pause"), _tap("pause"))
    )
    asking = rhythm_button() if who.is_worker else button(_("Quiet hours"), _tap("quiet"))
    copies = [button(_("Get a copy"), _tap("export"))]
    if device_links:
        copies.append(button(_("Another phone"), _tap("device")))
    family = [open_topics(), family_button()] if who.is_worker else []
    if who.is_relative:
        family.append(asked_about_button())
    rows = [
        [
            button(_("Change my name"), _tap("name")),
            button(_("Change my place"), _tap("place")),
        ],
        [asking, button(_("Language"), _tap("language"))],
        [pause],
        *([one] for one in family),
        copies,
        [button(_("Leave and erase everything"), _tap("leave"))],
    ]
    return InlineKeyboardMarkup(inline_keyboard=rows)


def _back() -> list[list[InlineKeyboardButton]]:
    return [[button(_("Back"), _tap("page"))]]


@router.callback_query(DataTap.filter(F.act == "name"))
async def tap_name(tap: CallbackQuery, state: FSMContext) -> Says:
    await state.set_state(Telling.name)
    return [toast(tap), say(tap.from_user.id, _("What shall we call you?"))]


@router.message(StateFilter(Telling.name))
async def tell_name(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    name = check_name(message.text or "")
    if name is None:
        return say(message.chat.id, name_refused(message.text or ""))
    await rename(tx, who.person_id, name)
    await record_heard(tx, who, now, kind="message", outcome="data")
    await state.clear()
    return say(
        message.chat.id,
        _("Thank you. We'll call you {name}.").format(name=name),
        main_menu(who)[1],
    )


@router.callback_query(DataTap.filter(F.act == "place"))
async def tap_place(tap: CallbackQuery, state: FSMContext) -> Says:
    await state.set_state(Telling.place)
    return [toast(tap), say(tap.from_user.id, ask_place(), place_choice())]


@router.callback_query(DataTap.filter((F.act == "language") & (F.value == "")))
async def tap_language(tap: CallbackQuery) -> Says:
    rows = [[button(language_name(language), _tap("language", language))] for language in LANGUAGES]
    markup = InlineKeyboardMarkup(inline_keyboard=[*rows, *_back()])
    return [toast(tap), replace(tap, _("Which language do you like to read?"), markup)]


@router.callback_query(DataTap.filter((F.act == "language") & F.value.in_(LANGUAGES)))
async def tap_choose_language(tap: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who) -> Says:
    await set_language(tx, who, callback_data.value)
    with get_i18n().use_locale(callback_data.value):
        return [
            toast(tap),
            replace(tap, _("We'll write to you like this from now on.")),
            say(
                tap.from_user.id,
                _("What would you like to do?"),
                main_menu(who)[1],
            ),
        ]


@router.callback_query(DataTap.filter(F.act == "export"))
async def tap_export(tap: CallbackQuery, tx: Tx, who: Who) -> Says:
    record = json.dumps(await export_person(tx, who.person_id), ensure_ascii=False, indent=2)
    return [
        toast(tap),
        SendDocument(
            chat_id=tap.from_user.id,
            document=BufferedInputFile(record.encode(), "kinroom.json"),
            caption=_("Everything we hold about you."),
        ),
    ]
