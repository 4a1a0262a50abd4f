"""The silent list, and the card behind each name."""

from collections.abc import Sequence
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import CallTap, PersonTap, SilentPageTap, TaskTap
from handlers.liaison.keyboards import Rows, button, menu_row, silent_row
from handlers.liaison.show import Page, remark, show
from handlers.liaison.wording import (
    days_words,
    name_of,
    place_of,
    short_why,
    since_words,
    standing_words,
    why_words,
)
from handlers.liaison.words import Asks
from storage.database import Tx
from storage.family.ties import Relative, relatives_of
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.silence import SilentPerson, access_person, silent_list, today_figures

router = Router(name="liaison.silent")
A_PAGE = 5
_SEPARATOR = " · "


def person_rows(people: Sequence[SilentPerson], now: datetime, timezone: str, offset: int) -> Rows:
    """A button for each name, one tap from the card."""
    return [
        [
            button(
                f"{_cut(name_of(person))}{_SEPARATOR}{days_words(person, now, timezone)}",
                PersonTap(person_id=person.person_id, offset=offset),
            )
        ]
        for person in people
    ]


def _cut(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"


@router.message(StateFilter(None), Asks("silent"))
@router.callback_query(TaskTap.filter(F.task == "silent"))
async def show_silent(event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime) -> Page:
    return await _page(event, tx, who, now, 0)


@router.callback_query(SilentPageTap.filter())
async def turn_page(
    tap: CallbackQuery, callback_data: SilentPageTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await _page(tap, tx, who, now, callback_data.offset)


async def _page(
    event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime, offset: int
) -> Page:
    figures = await today_figures(tx, who, now)
    if figures.waiting == 0:
        nobody = (
            _("There is word of everyone this week.")
            if figures.counts.expected
            else _("Nobody is expected on the register yet.")
        )
        return show(event, nobody, InlineKeyboardMarkup(inline_keyboard=[menu_row()]))
    # The list may have become shorter since the page was shown.
    offset = min(offset, (figures.waiting - 1) // A_PAGE * A_PAGE)
    people = await silent_list(tx, figures.areas, now, A_PAGE, offset)
    for area in figures.areas:
        await record_look(tx, who.person_id, now, what="silent", area_id=area.id)
    title = ngettext(
        "{n} person not heard from this week. Longest silence first, those already tried last:",
        "{n} people not heard from this week. Longest silence first, those already tried last:",
        figures.waiting,
    ).format(n=figures.waiting)
    lines = [title, ""]
    lines += [
        f"{number}. {_line(person, now, who.timezone)}"
        for number, person in enumerate(people, offset + 1)
    ]
    rows = person_rows(people, now, who.timezone, offset)
    turn = []
    if offset > 0:
        turn.append(button(_("Previous"), SilentPageTap(offset=offset - A_PAGE)))
    if offset + A_PAGE < figures.waiting:
        turn.append(button(_("Next"), SilentPageTap(offset=offset + A_PAGE)))
    if turn:
        rows.append(turn)
    rows.append(menu_row())
    return show(event, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


def _line(person: SilentPerson, now: datetime, timezone: str) -> str:
    known = [
        _cut(name_of(person)),
        place_of(person),
        since_words(person, now, timezone),
        short_why(person),
    ]
    return _SEPARATOR.join(part for part in known if part)


@router.callback_query(PersonTap.filter())
async def open_card(
    tap: CallbackQuery, callback_data: PersonTap, tx: Tx, who: Who, now: datetime
) -> Page:
    person = await access_person(tx, who, callback_data.person_id, now)
    if person is None:
        return remark(tap, _("This person isn't yours to look after, or not any more."))
    await record_look(tx, who.person_id, now, what="person", person_id=person.person_id)
    family = await look_at_family(tx, who, person.person_id, now)
    text, keyboard = person_card(person, family, now, who.timezone, callback_data.offset)
    return show(tap, text, keyboard)


async def look_at_family(tx: Tx, who: Who, person_id: int, now: datetime) -> list[Relative]:
    """Who may speak for a worker whose card is opened; each of them can see who looked."""
    family = await relatives_of(tx, person_id)
    for one in family:
        await record_look(tx, who.person_id, now, what="family", person_id=one.person_id)
    return family


def person_card(
    person: SilentPerson, family: Sequence[Relative], now: datetime, timezone: str, offset: int
) -> tuple[str, InlineKeyboardMarkup]:
    """Who they are, since when there is no word and why, and the two buttons of a call."""
    place = place_of(person)
    lines = [
        _("Now in {place}").format(place=place) if place else _("Where they are isn't known"),
        since_words(person, now, timezone),
    ]
    why = why_words(person, timezone) or standing_words(person)
    if why:
        lines.append(why)
    lines.append(
        _("Phone {phone}").format(phone=person.phone)
        if person.phone
        else _("No phone number is known; perhaps the family has one.")
    )
    lines += [_family_line(one) for one in family]

    def called(text: str, *, reached: bool) -> Rows:
        return [
            [
                button(
                    text,
                    CallTap(
                        person_id=person.person_id,
                        reached=reached,
                        after=person.last_attempt_id,
                        offset=offset,
                    ),
                )
            ]
        ]

    rows = [
        *called(_("Called: reached"), reached=True),
        *called(_("Called: not reached"), reached=False),
        silent_row(offset),
        menu_row(),
    ]
    lines = [line[:1].upper() + line[1:] for line in lines]
    text = "\n".join((f"{name_of(person)}{_SEPARATOR}{person.area_name}", *lines))
    return text, InlineKeyboardMarkup(inline_keyboard=rows)


def _family_line(one: Relative) -> str:
    name = one.name or _("Someone without a name")
    if one.phone:
        return _("Family who agreed to be asked: {name}, phone {phone}").format(
            name=name, phone=one.phone
        )
    return _("Family who agreed to be asked: {name}").format(name=name)
