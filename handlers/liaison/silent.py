"""The silent list: who was not heard from this week, why, and what to do first."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import PersonTap, SilentPageTap, TaskTap
from handlers.liaison.card import open_person
from handlers.liaison.habits import habit_rows
from handlers.liaison.keyboards import Rows, button, menu_row, turn_rows
from handlers.liaison.show import Page, remark, show
from handlers.liaison.wording import (
    SEPARATOR,
    cut_name,
    days_words,
    name_of,
    place_of,
    short_why,
    since_words,
)
from handlers.liaison.words import Asks
from handlers.next_steps import steps_words
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.next_steps import Facts
from storage.register.silence import SilentPerson, silent_list, today_figures
from storage.register.silence_facts import facts_of

router = Router(name="liaison.silent")
A_PAGE = 5
LISTS_UP_TO = 2000
"""For more people than one liaison looks after, the console has them: it may take its time."""


def person_rows(people: Sequence[SilentPerson], now: datetime, timezone: str, offset: int) -> Rows:
    """A button for each name, one tap from the card."""
    return [
        [
            button(
                f"{cut_name(name_of(person))}{SEPARATOR}{days_words(person, now, timezone)}",
                PersonTap(person_id=person.person_id, back=str(offset)),
            )
        ]
        for person in people
    ]


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
    habits: Rows = []
    if figures.counts.expected <= LISTS_UP_TO:
        habits = await habit_rows(tx, figures.areas, now)
    if figures.waiting == 0:
        nobody = (
            _("There is word of everyone this week.")
            if figures.counts.expected
            else _("Nobody is expected on the register yet.")
        )
        rows = [*habits, menu_row()]
        return show(event, nobody, InlineKeyboardMarkup(inline_keyboard=rows))
    # The list may have become shorter since the page was shown.
    offset = min(offset, (figures.waiting - 1) // A_PAGE * A_PAGE)
    people = await silent_list(tx, figures.areas, now, A_PAGE, offset)
    facts = await facts_of(tx, {person.person_id: person.silence for person in people}, now)
    for area in figures.areas:
        await record_look(tx, who.person_id, now, what="silent", area_id=area.id)
    title = ngettext(
        "{n} person not heard from this week. Longest silence first, those already tried last:",
        "{n} people not heard from this week. Longest silence first, those already tried last:",
        figures.waiting,
    ).format(n=figures.waiting)
    lines = [title, ""]
    for number, person in enumerate(people, offset + 1):
        lines += _lines(number, person, facts, now, who.timezone)
    rows = [
        *person_rows(people, now, who.timezone, offset),
        *turn_rows(offset, A_PAGE, figures.waiting, lambda at: SilentPageTap(offset=at)),
        *habits,
        menu_row(),
    ]
    return show(event, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


def _lines(
    number: int, person: SilentPerson, facts: Mapping[int, Facts], now: datetime, timezone: str
) -> list[str]:
    """Who it is and why, and below it what to do first."""
    known = [
        cut_name(name_of(person)),
        place_of(person),
        since_words(person, now, timezone),
        short_why(person),
    ]
    first = steps_words(facts[person.person_id], timezone)[0]
    return [f"{number}. {SEPARATOR.join(part for part in known if part)}", f"→ {first}"]


@router.callback_query(PersonTap.filter())
async def open_card(
    tap: CallbackQuery, callback_data: PersonTap, tx: Tx, who: Who, now: datetime
) -> Page:
    opened = await open_person(tx, who, callback_data.person_id, now, callback_data.back)
    if opened is None:
        return remark(tap, _("This person isn't yours to look after, or not any more."))
    _person, (text, keyboard) = opened
    return show(tap, text, keyboard)
