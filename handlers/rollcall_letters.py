"""What roll calls send: the question, nudges, the summary to all, the report to officers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.keyboards import checkin_answers
from handlers.rollcall_keyboards import count_keyboard
from handlers.rollcall_words import count_lines, nudge_words, over_words, question_words
from scheduler.letters import Ready
from storage.database import Tx
from storage.outbox.contents import Told
from storage.people.looks import record_look
from storage.rhythm.rollcall_access import (
    RollcallInfo,
    access_rollcall,
    figures_of,
    find_rollcall,
)
from storage.rhythm.rollcall_figures import (
    WITHOUT_WORD,
    Figures,
    Named,
    Word,
    list_rollcall,
    words_of,
)

ASKS: Final = ("rollcall", "rollcall_nudge")
TELLS: Final = ("rollcall_over", "rollcall_report")
NAMED: Final = 10
Words = tuple[str, InlineKeyboardMarkup | None]


@dataclass(frozen=True, slots=True)
class Ended:
    """A roll call that is over, for one who was asked (``checkin_id``), or for an officer.

    ``word``: whose word of the one asked there is. ``missing`` are the first whom nobody has word
    of, ``timezone`` is the officer's.
    """

    call: RollcallInfo
    figures: Figures
    checkin_id: int | None = None
    word: Word = "none"
    missing: Sequence[Named] = ()
    timezone: str = ""


async def load_ended(
    tx: Tx, batch: Sequence[Ready], params: Mapping[int, Mapping[str, Any]]
) -> dict[int, Ended]:
    """What the batch's summaries and reports say, by message.

    Names in a report are a look, and written down as one.
    """
    told = [ready.message for ready in batch if ready.message.template in TELLS]
    if not told:
        return {}
    asked: dict[int, set[int]] = {}
    ended: dict[int, Ended] = {}
    for message in told:
        number = int(params.get(message.id, {}).get("rollcall", 0))
        if message.template == "rollcall_over":
            asked.setdefault(number, set()).add(message.person_id)
            continue
        call = await access_rollcall(tx, message.person_id, number)
        if call is None:
            continue
        figures = await figures_of(tx, call)
        missing = await list_rollcall(
            tx, call.id, call.roots, WITHOUT_WORD, phones=False, limit=NAMED
        )
        for one in missing:
            await record_look(
                tx,
                message.person_id,
                call.ended_at or call.closes_at,
                what="rollcall",
                person_id=one.person_id,
            )
        ended[message.id] = Ended(call, figures, missing=missing, timezone=message.timezone)
    for number, people in asked.items():
        call = await find_rollcall(tx, number)
        if call is None or call.kept is None:
            continue
        given = await words_of(tx, number, people)
        for message in told:
            if message.template == "rollcall_over" and message.person_id in given:
                ended[message.id] = Ended(call, call.kept, *given[message.person_id])
    return ended


def ask(told: Told, checkin_id: int, asked: int) -> Words:
    """The question, or the nudge of round ``asked``."""
    words = question_words(told) if asked == 1 else nudge_words(told, asked)
    return words, checkin_answers(checkin_id)


def tell_over(ended: Ended) -> Words:
    """The summary; whoever has given no word of their own still may, with a tap."""
    words = over_words(ended.call.area_name, ended.figures, ended.word)
    if ended.word == "own" or ended.checkin_id is None:
        return words, None
    return words, checkin_answers(ended.checkin_id)


def report(ended: Ended) -> Words:
    """The figures, and whom nobody has word of."""
    call, figures = ended.call, ended.figures
    lines = count_lines(call, figures, call.ended_at or call.closes_at, ended.timezone)
    if ended.missing:
        lines += ["", _("No word of:")]
        for one in ended.missing:
            name = one.name or _("Someone without a name")
            lines.append(_("• {name}, {area}").format(name=name, area=one.area_name))
        if (more := figures.missing - len(ended.missing)) > 0:
            lines.append(ngettext("and {n} more", "and {n} more", more).format(n=more))
    return "\n".join(lines), count_keyboard(call, figures)
