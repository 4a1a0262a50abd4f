"""What is held about a relative, whom they are asked about, and how it ends."""

from collections.abc import Mapping
from datetime import datetime

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.abilities import Abilities
from handlers.callbacks import DataTap, KinTap
from handlers.keyboards import button
from handlers.relative.access import is_only_family, only_family
from handlers.relative.menu import asked_about_button, called, relative_menu
from handlers.say import Says, day, language_name, replace, say, toast, zone_name
from handlers.words import MY_DATA, Said
from handlers.worker.access import known
from handlers.worker.mydata import who_looked
from handlers.worker.rhythm_page import quiet_words
from storage.database import Tx
from storage.family.ties import end_tie, spoken_for
from storage.people.held import Held, held_about
from storage.people.who import Who, load_who

router = Router(name="relative.mydata")
router.message.filter(only_family)
router.callback_query.filter(known)


@router.message(Said(MY_DATA, "My data"))
async def show(
    message: Message,
    tx: Tx,
    who: Who,
    state: FSMContext,
    bot: Bot,
    abilities_of: Mapping[int, Abilities],
) -> Says:
    data = await state.get_data()
    if "kin" not in data:
        await state.clear()
    links = abilities_of[bot.id].device_links
    return say(message.chat.id, *await _page(tx, who, device_links=links))


@router.callback_query(DataTap.filter(F.act == "page"), only_family)
async def tap_page(
    tap: CallbackQuery, tx: Tx, who: Who, bot: Bot, abilities_of: Mapping[int, Abilities]
) -> Says:
    links = abilities_of[bot.id].device_links
    return [toast(tap), replace(tap, *await _page(tx, who, device_links=links))]


async def _page(tx: Tx, who: Who, *, device_links: bool) -> tuple[str, InlineKeyboardMarkup]:
    held = await held_about(tx, who.person_id)
    lines = [
        _("What we hold about you:"),
        _("Name: {name}").format(name=held.name or "—"),
        _("Language: {language}").format(language=language_name(who.language)),
        _("Quiet hours: {hours} ({zone})").format(
            hours=quiet_words(held.quiet_from, held.quiet_to), zone=zone_name(who.timezone)
        ),
    ]
    if held.paused_until is not None:
        lines.append(_("Paused until {day}").format(day=day(held.paused_until, who.timezone)))
    if held.consented_at is not None:
        lines.append(_("You agreed on {day}.").format(day=day(held.consented_at, who.timezone)))
    lines += [*await _asked_about(tx, who), ""]
    lines += await who_looked(tx, who, who.timezone)
    return "\n".join(lines), _buttons(who, held, device_links=device_links)


async def _asked_about(tx: Tx, who: Who) -> list[str]:
    about = await spoken_for(tx, who.person_id)
    if not about:
        return [_("You are not asked about anyone now.")]
    return [
        _("You may say that all is well with:"),
        *(
            _("• {name}, since {day}").format(
                name=called(one.name), day=day(one.since, who.timezone)
            )
            for one in about
        ),
    ]


def _tap(act: str) -> str:
    return DataTap(act=act).pack()


def _buttons(who: Who, held: Held, *, device_links: bool) -> InlineKeyboardMarkup:
    pause = (
        button(_("End the pause"), _tap("resume"))
        if held.status == "paused"
        else button(_("Pause"), _tap("pause"))
    )
    copies = [button(_("Get a copy"), _tap("export"))]
    if device_links:
        copies.append(button(_("Another phone"), _tap("device")))
    rows = [
        [button(_("Change my name"), _tap("name")), button(_("Language"), _tap("language"))],
        [button(_("Quiet hours"), _tap("quiet")), pause],
        copies,
        [button(_("Leave and erase everything"), _tap("leave"))],
    ]
    if who.is_relative:
        rows.insert(0, [asked_about_button()])
    return InlineKeyboardMarkup(inline_keyboard=rows)


async def _mine(tx: Tx, who: Who) -> tuple[str, InlineKeyboardMarkup]:
    about = await spoken_for(tx, who.person_id)
    rows = [
        [
            button(
                _("Stop for {name}").format(name=called(one.name)),
                KinTap(act="stop", kin_id=one.kin_id).pack(),
            )
        ]
        for one in about
    ]
    rows.append([button(_("Back"), _tap("page"))])
    lines = await _asked_about(tx, who)
    if about:
        lines.append(_("You can stop any time. It costs nothing, for you or for them."))
    return "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows)


@router.callback_query(KinTap.filter(F.act == "mine"))
async def tap_mine(tap: CallbackQuery, tx: Tx, who: Who) -> Says:
    return [toast(tap), replace(tap, *await _mine(tx, who))]


@router.callback_query(KinTap.filter(F.act == "stop"))
async def tap_stop(
    tap: CallbackQuery, callback_data: KinTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """The consent goes with it; who is nothing else now may have the rest erased as well."""
    ended = await end_tie(tx, who, callback_data.kin_id, "relative", now)
    renewed = await load_who(tx, who.bot_id, who.chat_id) or who
    text, markup = await _mine(tx, renewed)
    if ended is None:
        note = _("That was over already.")
        return [toast(tap), replace(tap, f"{note}\n\n{text}", markup)]
    note = _("All right. You are not asked about {name} any more. Thank you.").format(
        name=called(ended.worker)
    )
    if not is_only_family(renewed) or renewed.is_relative:
        return [toast(tap), replace(tap, f"{note}\n\n{text}", markup)]
    return [
        toast(tap),
        replace(tap, note, last_button()),
        say(tap.from_user.id, *relative_menu(renewed)),
    ]


def last_button() -> InlineKeyboardMarkup:
    """For someone about whom nothing need be held any more."""
    return InlineKeyboardMarkup(
        inline_keyboard=[[button(_("Leave and erase everything"), _tap("leave"))]]
    )
