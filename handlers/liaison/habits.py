"""Under the silent list: who never answers, and who answers less and less."""

from collections.abc import Collection
from datetime import datetime

from aiogram import Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import HabitTap, PersonTap
from handlers.liaison.keyboards import Rows, button, menu_row, task_button, turn_rows
from handlers.liaison.show import Page, show
from handlers.liaison.wording import SEPARATOR, cut_name
from handlers.next_steps import habit_step, habit_words
from storage.database import Tx
from storage.people.areas import AreaInfo
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.answering import HABITS, Habit, count_habits, list_habit
from storage.register.silence import officer_areas

router = Router(name="liaison.habits")
A_PAGE = 5


async def habit_rows(tx: Tx, areas: Collection[AreaInfo], now: datetime) -> Rows:
    """A button for each habit that someone of these areas has."""
    counted = await count_habits(tx, [area.path for area in areas], now)
    labels = {"never": _("Answering nothing: {n}"), "fading": _("Answering less: {n}")}
    return [
        [button(labels[habit].format(n=counted[habit]), HabitTap(habit=habit, offset=0))]
        for habit in HABITS
        if counted[habit]
    ]


@router.callback_query(HabitTap.filter())
async def show_habit(
    tap: CallbackQuery, callback_data: HabitTap, tx: Tx, who: Who, now: datetime
) -> Page:
    habit = callback_data.habit
    areas = await officer_areas(tx, who)
    paths = [area.path for area in areas]
    count = (await count_habits(tx, paths, now))[habit]
    back = [task_button("silent", _("Not heard from"))]
    if count == 0:
        return show(tap, _("Nobody now."), InlineKeyboardMarkup(inline_keyboard=[back, menu_row()]))
    offset = min(callback_data.offset, (count - 1) // A_PAGE * A_PAGE)
    people = await list_habit(tx, paths, habit, now, A_PAGE, offset)
    for area in areas:
        await record_look(tx, who.person_id, now, what="silent", area_id=area.id)
    lines = [_title(habit, count), f"→ {habit_step(habit)}", ""]
    rows: Rows = []
    for number, person in enumerate(people, offset + 1):
        name = cut_name(person.name or _("Someone without a name"))
        lines.append(f"{number}. {SEPARATOR.join((name, person.area_name, habit_words(person)))}")
        rows.append(
            [button(name, PersonTap(person_id=person.person_id, back=f"{habit[0]}{offset}"))]
        )
    rows += turn_rows(offset, A_PAGE, count, lambda at: HabitTap(habit=habit, offset=at))
    rows += [back, menu_row()]
    return show(tap, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


def _title(habit: Habit, count: int) -> str:
    if habit == "never":
        return ngettext(
            "{n} person gets our questions and answers none:",
            "{n} people get our questions and answer none:",
            count,
        ).format(n=count)
    return ngettext(
        "{n} person used to answer, and does so less and less:",
        "{n} people used to answer, and do so less and less:",
        count,
    ).format(n=count)
