"""Today: this week's contact rate with its parts, and whom to start with."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _
from babel.lists import format_list
from babel.numbers import format_percent

from handlers.liaison.callbacks import SilentPageTap, TaskTap
from handlers.liaison.keyboards import button, menu_row, task_button
from handlers.liaison.show import Page, show
from handlers.liaison.silent import LISTS_UP_TO, person_rows
from handlers.liaison.words import Asks
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.overasked import list_overasked
from storage.register.silence import TodayFigures, silent_list, today_figures
from storage.talk.inbox import count_open_cases

router = Router(name="liaison.today")
FIRST = 3


@router.message(StateFilter(None), Asks("today"))
@router.callback_query(TaskTap.filter(F.task == "today"))
async def show_today(event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime) -> Page:
    figures = await today_figures(tx, who, now)
    lines = _rate(figures)
    rows = []
    if figures.waiting:
        people = await silent_list(tx, figures.areas, now, FIRST)
        for area in figures.areas:
            await record_look(tx, who.person_id, now, what="silent", area_id=area.id)
        rows += person_rows(people, now, who.timezone, 0)
        if figures.waiting > FIRST:
            rows.append([button(_("The whole list"), SilentPageTap(offset=0))])
    questions = await count_open_cases(tx, who)
    if questions:
        lines += [
            "",
            ngettext(
                "{n} question waits for an answer.",
                "{n} questions wait for an answer.",
                questions,
            ).format(n=questions),
        ]
        rows.append([task_button("inbox", _("Inbox"))])
    # Said last: the names are on the buttons right below.
    lines += ["", _first(figures)]
    too_much = 0
    if figures.counts.expected <= LISTS_UP_TO:
        paths = [area.path for area in figures.areas]
        too_much = (await list_overasked(tx, paths, now, 1))[0]
    if too_much:
        label = _("Asked too much: {n}").format(n=too_much)
        rows.append([task_button("overasked", label)])
    rows.append(menu_row())
    return show(event, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


def _rate(figures: TodayFigures) -> list[str]:
    locale = get_i18n().current_locale
    counts = figures.counts
    areas = format_list([area.name for area in figures.areas], locale=locale)
    if counts.contact_rate is None:
        return [
            _("{area}, this week: contact rate —").format(area=areas),
            _("Nobody is expected on the register yet."),
        ]
    rate = format_percent(counts.contact_rate, locale=locale)
    heard, vouched, reached = counts.heard, counts.vouched, counts.reached
    return [
        _("{area}, this week: contact rate {rate}").format(area=areas, rate=rate),
        ngettext("Of {n} person expected:", "Of {n} people expected:", counts.expected).format(
            n=counts.expected
        ),
        ngettext("● {n} got in touch", "● {n} got in touch", heard).format(n=heard),
        ngettext("◐ for {n} the family answered", "◐ for {n} the family answered", vouched).format(
            n=vouched
        ),
        ngettext(
            "◎ {n} was reached by a liaison", "◎ {n} were reached by a liaison", reached
        ).format(n=reached),
    ]


def _first(figures: TodayFigures) -> str:
    waiting = figures.waiting
    if not figures.counts.expected:
        return _("Invite people first, then they show up here.")
    if waiting == 0:
        return _("There is word of everyone this week.")
    if waiting <= FIRST:
        return ngettext(
            "{n} person not heard from this week:",
            "{n} people not heard from this week:",
            waiting,
        ).format(n=waiting)
    return ngettext(
        "{n} person not heard from this week. Start with these {first}:",
        "{n} people not heard from this week. Start with these {first}:",
        waiting,
    ).format(n=waiting, first=FIRST)
