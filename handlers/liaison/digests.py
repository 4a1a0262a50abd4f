"""What officers are told of tasks: how many and where, never who. The names are one tap away."""

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.drafts import Draft
from handlers.liaison.keyboards import task_button
from handlers.say import short_day
from scheduler.letters import Letter, Withheld
from scheduler.reasons import HEARD
from storage.rhythm.digests import Lying

_NAMED = 5


def tasks(draft: Draft) -> Letter | Withheld:
    """To a liaison: people who could use a word."""
    lies = draft.batch.tasks.get(draft.ready.message.person_id)
    if lies is None:
        return Withheld("cancelled", HEARD)
    lines = [
        ngettext(
            "{n} person could use a word from you: we have asked, and heard nothing.",
            "{n} people could use a word from you: we have asked, and heard nothing.",
            lies.open,
        ).format(n=lies.open),
        *_where(lies),
    ]
    if lies.calls:
        lines.append(_wishes(lies.calls))
    return draft.text("\n".join(lines), _see_who())


def tasks_call(draft: Draft) -> Letter | Withheld:
    """To a liaison, at once: a family wants a call."""
    lies = draft.batch.tasks.get(draft.ready.message.person_id)
    if lies is None or not lies.calls:
        return Withheld("cancelled", HEARD)
    return draft.text(_wishes(lies.calls), _see_who())


def tasks_raised(draft: Draft) -> Letter | Withheld:
    """To a supervisor: what lies, and where; nobody is blamed."""
    lies = draft.batch.raised.get(draft.ready.message.person_id)
    if lies is None:
        return Withheld("cancelled", HEARD)
    since = short_day(lies.oldest, draft.ready.message.timezone)
    lines = [
        ngettext(
            "{n} person could not be reached yet; the task is open since {day}.",
            "{n} people could not be reached yet; the oldest task is open since {day}.",
            lies.open,
        ).format(n=lies.open, day=since),
        *_where(lies, always=True),
        _("Perhaps a hand is wanted there."),
    ]
    return draft.text("\n".join(lines), _see_who())


def _where(lies: Lying, *, always: bool = False) -> list[str]:
    """How many in which area, where there is more than one."""
    if len(lies.areas) < 2 and not always:
        return []
    lines = [_("{area}: {n}").format(area=area, n=number) for area, number in lies.areas[:_NAMED]]
    rest = sum(number for _area, number in lies.areas[_NAMED:])
    if rest:
        lines.append(ngettext("and {n} more", "and {n} more", rest).format(n=rest))
    return lines


def _wishes(calls: int) -> str:
    return ngettext(
        "A family asks to be called about someone of theirs.",
        "{n} families ask to be called about someone of theirs.",
        calls,
    ).format(n=calls)


def _see_who() -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[task_button("tasks", _("See who"))]])
