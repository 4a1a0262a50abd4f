"""Tasks of an area: who waits for a word, with whom each task lies, and who answers no more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers.console.frame import CONSOLE, find_areas, session_of, write_page
from handlers.next_steps import habit_step, habit_words, steps_words, task_since, task_why
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.installation import DEMO, find_value
from storage.people.areas import AreaInfo
from storage.people.looks import looked_lately, record_look
from storage.register.answering import HABITS, Habit, count_habits, list_habit
from storage.register.figures import compute_register, named_register
from storage.register.next_steps import Facts
from storage.register.periods import week_of
from storage.register.silence_facts import facts_of, is_silent
from storage.rhythm.digests import tasks_by_liaison
from storage.rhythm.tasks import TaskLine, tasks_of_area

MOST = 200
"""Names in a list; beyond that the area is looked at part by part."""
_A_REPORT = 60.0


@dataclass(frozen=True, slots=True)
class Line:
    """Someone with a task: since when, and what to do first; ``next`` is None for the excluded."""

    ref: str
    name: str
    area_name: str
    words: str
    since: str
    raised: bool
    next: str | None


async def show_tasks(request: web.Request) -> web.Response:
    console = request.config_dict[CONSOLE]
    officer = session_of(request).person_id
    now = console.clock()
    async with console.db.read() as tx:
        await tx.take_time(_A_REPORT)
        areas, area = await find_areas(tx, request)
        shown = await _read(tx, area, now)
        seen = await looked_lately(tx, officer, now, what="tasks", area_id=area.id)
    if not seen:
        async with console.db.write() as tx:
            await record_look(tx, officer, now, what="tasks", area_id=area.id)
    return write_page(request, "tasks.html", areas=areas, area=area, **shown)


async def _read(tx: Tx, area: AreaInfo, now: datetime) -> dict[str, Any]:
    tasks = await tasks_of_area(tx, area.path, MOST + 1)
    facts = await _facts(tx, area, [task.person_id for task in tasks], now)
    habits = await count_habits(tx, [area.path], now)
    silent = 0
    if not tasks:
        # Nothing to do is not yet all well: a task is opened only after the last nudge.
        register = await compute_register(tx, area, week_of(now, area.timezone), now)
        silent = register.counts.silent
    return {
        "tasks": [_line(task, facts, area.timezone, now) for task in tasks[:MOST]],
        "more": len(tasks) > MOST,
        "silent": silent,
        "liaisons": await tasks_by_liaison(tx, area.path),
        "counts": habits,
        "habits": {
            habit: await list_habit(tx, [area.path], habit, now, MOST)
            for habit in HABITS
            if habits[habit]
        },
        "habit_title": habit_title,
        "habit_step": habit_step,
        "habit_words": habit_words,
        "since_words": lambda at: task_since(_days(at, area.timezone, now)),
        "is_demo": await find_value(tx, DEMO) is not None,
    }


async def _facts(tx: Tx, area: AreaInfo, person_ids: list[int], now: datetime) -> dict[int, Facts]:
    """Of those with a task the register's class, so that the step is the list's."""
    if not person_ids:
        return {}
    wanted = set(person_ids)
    named = await named_register(tx, area, week_of(now, area.timezone), now)
    silences = {
        it.person_id: it.silence
        for it in named
        if it.person_id in wanted and is_silent(it.standing)
    }
    return await facts_of(tx, silences, now)


def _line(task: TaskLine, facts: dict[int, Facts], timezone: str, now: datetime) -> Line:
    known = facts.get(task.person_id)
    return Line(
        ref=task.ref,
        name=task.name or _("Someone without a name"),
        area_name=task.area_name,
        words=task_why(task.why),
        since=task_since(_days(task.opened_at, timezone, now)),
        raised=task.raised_at is not None,
        next=None if known is None else steps_words(known, timezone)[0],
    )


def _days(then: datetime, timezone: str, now: datetime) -> int:
    zone = zone_of(timezone)
    return max(0, (now.astimezone(zone).date() - then.astimezone(zone).date()).days)


def habit_title(habit: Habit) -> str:
    return {"never": _("Answering nothing"), "fading": _("Answering less and less")}[habit]
