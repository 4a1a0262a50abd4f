"""A reminder's letter: what it is about, for which day, and three ways to answer."""

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import ReminderTap
from handlers.days import day_words
from handlers.keyboards import button
from scheduler.letters import Withheld
from storage.reminders.answers import Told
from storage.reminders.topics import in_language


def remind(told: Told | None, language: str) -> tuple[str, InlineKeyboardMarkup] | Withheld:
    """The words and the buttons; nothing about what is settled by now."""
    if told is None:
        return Withheld("failed", "its reminder is missing")
    if told.settled is not None:
        return Withheld("cancelled", told.settled)
    lines = [
        _("As you asked, a reminder: {topic}.").format(topic=in_language(told.names, language))
    ]
    if told.behind is not None:
        lines.append(_("The last time was on {day}.").format(day=day_words(told.behind)))
    elif told.dated:
        lines.append(_("The day is {day}.").format(day=day_words(told.about)))
    words = " ".join(lines) if language != "zh" else "".join(lines)
    text = in_language(told.words, language)
    return "\n\n".join([words, text]), reminder_answers(told.reminder_id)


def reminder_answers(reminder_id: int, below: int = 0) -> InlineKeyboardMarkup:
    """The three answers; ``below``: so many texts without buttons stand below the reminder's."""

    def tap(answer: str) -> str:
        said = f"{answer}.{below}" if below else answer
        return ReminderTap(reminder_id=reminder_id, answer=said).pack()

    return InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("Seen to it"), tap("done"))],
            [button(_("Remind me again in a few days"), tap("later"))],
            [button(_("No more of this"), tap("stop"))],
        ]
    )
