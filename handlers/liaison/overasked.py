"""Who is asked too much: a list behind today's page, with what can be done."""

from datetime import datetime

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import OverAskedTap, PersonTap, TaskTap
from handlers.liaison.keyboards import Rows, button, menu_row, task_button, turn_rows
from handlers.liaison.show import Page, show
from handlers.liaison.wording import SEPARATOR, cut_name
from handlers.overasked import overasked_step, overasked_why, overasked_words
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.overasked import list_overasked
from storage.register.silence import officer_areas

router = Router(name="liaison.overasked")
A_PAGE = 5


@router.callback_query(TaskTap.filter(F.task == "overasked"))
async def show_overasked(tap: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Page:
    return await _page(tap, tx, who, now, 0)


@router.callback_query(OverAskedTap.filter())
async def turn_page(
    tap: CallbackQuery, callback_data: OverAskedTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await _page(tap, tx, who, now, callback_data.offset)


async def _page(tap: CallbackQuery, tx: Tx, who: Who, now: datetime, offset: int) -> Page:
    areas = await officer_areas(tx, who)
    paths = [area.path for area in areas]
    count, people = await list_overasked(tx, paths, now, A_PAGE, offset)
    if not people and offset:
        # The list became shorter since the page was shown.
        offset = 0
        count, people = await list_overasked(tx, paths, now, A_PAGE)
    back = [task_button("today", _("Today"))]
    if not people:
        nobody = _("Nobody is asked too much. What is sent fits into everyone's week.")
        return show(tap, nobody, InlineKeyboardMarkup(inline_keyboard=[back, menu_row()]))
    for area in areas:
        await record_look(tx, who.person_id, now, what="silent", area_id=area.id)
    title = ngettext(
        "{n} person is asked too much.", "{n} people are asked too much.", count
    ).format(n=count)
    lines = [f"{title} {overasked_why()}", f"→ {overasked_step()}", ""]
    rows: Rows = []
    for number, person in enumerate(people, offset + 1):
        name = cut_name(person.name or _("Someone without a name"))
        known = (name, person.area_name, overasked_words(person))
        lines.append(f"{number}. {SEPARATOR.join(known)}")
        rows.append([button(name, PersonTap(person_id=person.person_id, back=f"o{offset}"))])
    rows += turn_rows(offset, A_PAGE, count, lambda at: OverAskedTap(offset=at))
    rows += [back, menu_row()]
    return show(tap, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))
