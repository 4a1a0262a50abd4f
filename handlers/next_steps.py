"""What to do next about a silence, in words: the same in the chat and in the console."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.reasons import reason_words
from handlers.say import short_day
from storage.register.answering import HALF, Answering, Habit
from storage.register.next_steps import Facts, Step, next_steps


def steps_words(facts: Facts, timezone: str) -> list[str]:
    """Every step there is, the first thing first; days in the zone of who reads them."""
    return [step_words(step, facts, timezone) for step in next_steps(facts)]


def step_words(step: Step, facts: Facts, timezone: str) -> str:
    """One step as a short sentence."""
    return _WORDS[step](facts, timezone)


def _day(at: datetime | None, timezone: str) -> str:
    return "" if at is None else short_day(at, timezone)


def _held(facts: Facts, timezone: str) -> str:
    why = reason_words(facts.held) or ""
    if facts.held_until is None:
        return _("The question waits: {why}. Nothing to do.").format(why=why)
    return _("The question waits until {day}: {why}. Nothing to do.").format(
        day=_day(facts.held_until, timezone), why=why
    )


_WORDS: Final[dict[Step, Callable[[Facts, str], str]]] = {
    "family-call": lambda facts, timezone: _(
        "The family asked on {day} to be called: start with them."
    ).format(day=_day(facts.said_at, timezone)),
    "family-no": lambda facts, timezone: _(
        "The family has heard nothing either, they said on {day}: call soon."
    ).format(day=_day(facts.said_at, timezone)),
    "family-fine": lambda facts, timezone: _(
        "The family said on {day} that all is well: the next check-in can be waited for."
    ).format(day=_day(facts.said_at, timezone)),
    "family-asked": lambda *__: _("The family is being asked: wait a day for their answer."),
    "call": lambda *__: _("Give them a call."),
    "call-only": lambda *__: _("Messages don't get there, so only a call helps."),
    "ask-family": lambda *__: _("There is no number: ask the family for it."),
    "ask-village": lambda *__: _(
        "There is no number: ask their household, or the neighbours' liaison."
    ),
    "number-changed": lambda *__: _(
        "Try at another hour. If nobody answers again, the number may have changed: "
        "ask their household."
    ),
    "number-changed-family": lambda *__: _("The number may have changed: ask the family."),
    "new-link": lambda *__: _(
        "Once you reach them, a new invite link lets them back into the chat."
    ),
    "waits": _held,
    "asked-on": lambda facts, timezone: _("Nothing to do: asked again on {day}.").format(
        day=_day(facts.next_at, timezone)
    ),
    "no-rule": lambda *__: _(
        "No rule asks them: your supervisor can set one. Until then, give them a call."
    ),
    "quiet-until": lambda facts, timezone: _(
        "Their own choice until {day}, when they are asked again. Nothing to do."
    ).format(day=_day(facts.next_at, timezone)),
    "quiet": lambda *__: _("Their own choice. Nothing to do."),
    "never": lambda *__: _(
        "Answers none of our questions: a call from home does more than a message."
    ),
    "fading": lambda *__: _(
        "Answers less and less: ask whether another hour or a slower rhythm suits."
    ),
}


def habit_step(habit: Habit) -> str:
    """What to do about someone who never answers, or answers less and less."""
    if habit == "never":
        return _("A call from home does more than a message.")
    return _("Ask whether another hour or a slower rhythm suits.")


def habit_words(person: Answering) -> str:
    """How many of the last questions someone answered."""
    if person.habit == "never":
        return ngettext(
            "asked {n} time, no answer", "asked {n} times lately, no answer", person.asked
        ).format(n=person.asked)
    return _("answered {before} of {half}, then {lately} of {half}").format(
        before=person.before, lately=person.lately, half=HALF
    )


def task_why(why: str) -> str:
    """What a task was opened for."""
    return {
        "unanswered": _("no answer, also to our second question"),
        "unreachable": _("messages don't arrive"),
        "no": _("the family has heard nothing either"),
        "call": _("the family asks for a call"),
    }.get(why, why)


def task_since(days: int) -> str:
    """Since when a task is open."""
    if days == 0:
        return _("since today")
    return ngettext("for {n} day", "for {n} days", days).format(n=days)
