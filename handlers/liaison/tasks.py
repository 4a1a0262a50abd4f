"""Tasks: whom the rules ask the liaison to have a word with, closed by themselves on any word."""

from datetime import datetime

from aiogram import F, Router
from aiogram.filters import StateFilter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import PersonTap, TasksPageTap, TaskTap
from handlers.liaison.keyboards import Rows, button, menu_row, task_button, turn_rows
from handlers.liaison.show import Page, show
from handlers.liaison.wording import SEPARATOR, cut_name, days_between
from handlers.liaison.words import Asks
from handlers.next_steps import task_since, task_why
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.silence import officer_areas, today_figures
from storage.rhythm.tasks import TaskLine, count_tasks, open_tasks

router = Router(name="liaison.tasks")
A_PAGE = 5


@router.message(StateFilter(None), Asks("tasks"))
@router.callback_query(TaskTap.filter(F.task == "tasks"))
async def show_tasks(event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime) -> Page:
    return await _page(event, tx, who, now, 0)


@router.callback_query(TasksPageTap.filter())
async def turn_page(
    tap: CallbackQuery, callback_data: TasksPageTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await _page(tap, tx, who, now, callback_data.offset)


async def _page(
    event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime, offset: int
) -> Page:
    count = await count_tasks(tx, who)
    if count == 0:
        rows: Rows = [[task_button("silent", _("Not heard from"))], menu_row()]
        # Nothing to do is not yet all well: a task is opened only after the last nudge.
        silent = (await today_figures(tx, who, now)).counts.silent
        nothing = (
            ngettext(
                "No task is open yet, but {n} person has not been heard from this week.",
                "No task is open yet, but {n} people have not been heard from this week.",
                silent,
            ).format(n=silent)
            if silent
            else _("No open task: there is word of everyone, or nobody needs a call yet.")
        )
        return show(event, nothing, InlineKeyboardMarkup(inline_keyboard=rows))
    offset = min(offset, (count - 1) // A_PAGE * A_PAGE)
    tasks = await open_tasks(tx, who, A_PAGE, offset)
    for area in await officer_areas(tx, who):
        await record_look(tx, who.person_id, now, what="tasks", area_id=area.id)
    lines = [
        ngettext(
            "{n} person needs a word from you. The task closes by itself once there is word:",
            "{n} people need a word from you. A task closes by itself once there is word:",
            count,
        ).format(n=count),
        "",
    ]
    rows = []
    for number, task in enumerate(tasks, offset + 1):
        name = cut_name(task.name or _("Someone without a name"))
        lines.append(f"{number}. {_line(name, task, now, who.timezone)}")
        rows.append([button(name, PersonTap(person_id=task.person_id, back=f"t{offset}"))])
    rows += turn_rows(offset, A_PAGE, count, lambda at: TasksPageTap(offset=at))
    rows.append(menu_row())
    return show(event, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


def _line(name: str, task: TaskLine, now: datetime, timezone: str) -> str:
    days = days_between(task.opened_at, now, timezone)
    return SEPARATOR.join((name, task.area_name, task_why(task.why), task_since(days)))
