"""What is sent unasked, in the recipient's language: check-ins, roll calls, notices, cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import structlog
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from handlers import rollcall_letters as calls
from handlers.abilities import Abilities
from handlers.drafts import Batch, Draft
from handlers.keyboards import checkin_answers
from handlers.liaison import digests
from handlers.liaison import letters as officers
from handlers.notice import notice_text
from handlers.relative import letters as family
from handlers.reminder_letters import remind
from scheduler.burden import may_join
from scheduler.letters import Letter, Ready, Withheld
from scheduler.reasons import HEARD
from storage.database import Tx
from storage.family.asking import questions_asked
from storage.family.ties import parties_of
from storage.outbox.contents import (
    broadcasts_of,
    case_words,
    cases_of,
    params_of,
    rollcalls_of,
)
from storage.reminders.answers import told_of
from storage.rhythm.digests import tasks_with
from storage.rhythm.followups import heard_meanwhile
from storage.rhythm.rollcall_rounds import ROLLCALL_OVER
from storage.vault import SealBroken

_log = structlog.get_logger(__name__)

_BY_NAME: Final = ("checkin",)
"""Templates that call people by their name; for the others it stays sealed."""

_ROOM: Final = 400
"""Kept free in a message that is several, in UTF-16 units: receipts come to stand there."""
_NUDGES: Final = ("nudge", "nudge_again", "rollcall_nudge")
_FAMILY: Final = ("kin_ask", "kin_agreed", "kin_stopped", "kin_over")
_WITH_PARAMS: Final = (*_FAMILY, *calls.TELLS, "rollcall_nudge")


class Renderer:
    """Makes the letters of a batch, as :class:`scheduler.letters.Render` asks."""

    def __init__(self, i18n: I18n, abilities: Mapping[int, Abilities]) -> None:
        self._i18n = i18n
        self._abilities = abilities

    async def __call__(self, tx: Tx, batch: Sequence[Ready], /) -> dict[int, Letter | Withheld]:
        content = await _load(tx, batch)
        written: dict[int, Letter | Withheld] = {}
        with self._i18n.context():
            for ready in batch:
                with self._i18n.use_locale(ready.message.language):
                    written[ready.message.id] = _write(tx, ready, content, self._abilities)
        return written


async def _load(tx: Tx, batch: Sequence[Ready]) -> Batch:
    messages = [ready.message for ready in batch]

    def ids(found: Iterable[int | None]) -> set[int]:
        return {it for it in found if it is not None}

    params = await params_of(tx, [it.id for it in messages if it.template in _WITH_PARAMS])
    return Batch(
        rollcalls=await rollcalls_of(
            tx, ids(it.checkin_id for it in messages if it.template in calls.ASKS)
        ),
        broadcasts=await broadcasts_of(tx, ids(it.broadcast_id for it in messages)),
        cases=await cases_of(tx, ids(it.case_id for it in messages)),
        words=await case_words(tx, ids(it.case_message_id for it in messages)),
        params=params,
        questions=await questions_asked(tx, ids(it.get("question") for it in params.values())),
        tasks=await tasks_with(
            tx, {it.person_id for it in messages if it.template in ("tasks", "tasks_call")}
        ),
        raised=await tasks_with(
            tx, {it.person_id for it in messages if it.template == "tasks_raised"}, raised=True
        ),
        reminders=await told_of(tx, [it.id for it in messages if it.template == "reminder"]),
        ended=await calls.load_ended(tx, batch, params),
        heard=await heard_meanwhile(
            tx, ids(it.checkin_id for it in messages if it.template in _NUDGES)
        ),
        ties=await parties_of(tx, ids(it.get("kin") for it in params.values())),
    )


def _write(
    tx: Tx, ready: Ready, content: Batch, abilities: Mapping[int, Abilities]
) -> Letter | Withheld:
    message, to = ready.message, ready.message.to
    writer = _WRITERS.get(message.template)
    if writer is None:
        return Withheld("failed", f"there are no words for “{message.template}”")
    if to is None:
        return Withheld("failed", "no account")
    try:
        name = ""
        if message.name is not None and message.template in _BY_NAME:
            name = tx.vault.open("person.name", message.ref, message.name)
        able = abilities[to.bot_id]
        letter = writer(Draft(ready, to, name, content, able.max_text, able.paid))
    except SealBroken:
        return Withheld("failed", "the name cannot be read with this secret key")
    except Exception as error:  # noqa: BLE001  # one bad row must not hold up the rest
        _log.exception("a message could not be written", delivery=message.id)
        return Withheld("failed", f"could not be written: {type(error).__name__}")
    if may_join(message) and isinstance(letter, Letter):
        return letter._replace(joins=able.max_text - _ROOM)
    return letter


def _checkin(draft: Draft) -> Letter | Withheld:
    checkin_id = draft.ready.message.checkin_id
    if checkin_id is None:
        return Withheld("failed", "its check-in is missing")
    if draft.name:
        words = _("{name}, how has your week been? One tap, and those at home can rest easy.")
    else:
        words = _("How has your week been? One tap, and those at home can rest easy.")
    return draft.text(words.format(name=draft.name), checkin_answers(checkin_id))


def _nudge(draft: Draft) -> Letter | Withheld:
    words = _(
        "We haven't heard from you yet. A tap when you have a moment, and we know you're well."
    )
    return _asking(draft, words)


def _nudge_again(draft: Draft) -> Letter | Withheld:
    words = _(
        "No word from you this week. If now is a bad time, “My data” lets you pick another hour, "
        "or hear from us less often."
    )
    return _asking(draft, words)


def _asking(draft: Draft, words: str) -> Letter | Withheld:
    checkin_id = draft.ready.message.checkin_id
    if checkin_id is None:
        return Withheld("failed", "its check-in is missing")
    if checkin_id in draft.batch.heard:
        return Withheld("cancelled", HEARD)
    return draft.text(words, checkin_answers(checkin_id))


def _rollcall(draft: Draft) -> Letter | Withheld:
    message = draft.ready.message
    told = draft.batch.rollcalls.get(message.checkin_id or 0)
    if message.checkin_id is None or told is None:
        return Withheld("failed", "its roll call is missing")
    if told.over:
        return Withheld("cancelled", ROLLCALL_OVER)
    if message.checkin_id in draft.batch.heard:
        return Withheld("cancelled", HEARD)
    asked = int(draft.batch.params.get(message.id, {}).get("asked", 1))
    return draft.text(*calls.ask(told, message.checkin_id, asked))


def _rollcall_ended(draft: Draft) -> Letter | Withheld:
    message = draft.ready.message
    ended = draft.batch.ended.get(message.id)
    if ended is None:
        return Withheld("failed", "its roll call is missing")
    tell = calls.report if message.template == "rollcall_report" else calls.tell_over
    return draft.text(*tell(ended))


def _reminder(draft: Draft) -> Letter | Withheld:
    message = draft.ready.message
    told = draft.batch.reminders.get(message.id)
    written = remind(told, message.language)
    return written if isinstance(written, Withheld) else draft.text(*written)


def _broadcast(draft: Draft) -> Letter | Withheld:
    message = draft.ready.message
    broadcast_id = message.broadcast_id or 0
    known = (broadcast_id, message.language, draft.to.bot_id, draft.ready.silent)
    parts = draft.batch.notices.get(known)
    if parts is None:
        told = draft.batch.broadcasts.get(broadcast_id)
        if told is None:
            return Withheld("failed", "its notice is missing")
        parts = draft.texts(notice_text(told.area_name, told.text))
        draft.batch.notices[known] = parts
    return Letter([part.model_copy(update={"chat_id": draft.to.chat_id}) for part in parts])


def _kin_ask(draft: Draft) -> Letter | Withheld:
    question_id = int(draft.batch.params.get(draft.ready.message.id, {}).get("question", 0))
    written = family.ask(question_id, draft.batch.questions.get(question_id))
    return written if isinstance(written, Withheld) else draft.text(*written)


def _kin_news(draft: Draft) -> Letter | Withheld:
    message = draft.ready.message
    kin_id = int(draft.batch.params.get(message.id, {}).get("kin", 0))
    written = family.tell(message.template, draft.batch.ties.get(kin_id))
    return written if isinstance(written, Withheld) else draft.text(*written)


_WRITERS: Final[Mapping[str, Callable[[Draft], Letter | Withheld]]] = {
    "checkin": _checkin,
    "nudge": _nudge,
    "nudge_again": _nudge_again,
    "rollcall": _rollcall,
    "rollcall_nudge": _rollcall,
    "rollcall_over": _rollcall_ended,
    "rollcall_report": _rollcall_ended,
    "reminder": _reminder,
    "broadcast": _broadcast,
    "case_new": officers.case_new,
    "case_more": officers.case_more,
    "case_reply": officers.case_reply,
    "help_urgent": officers.help_urgent,
    "tasks": digests.tasks,
    "tasks_call": digests.tasks_call,
    "tasks_raised": digests.tasks_raised,
    "kin_ask": _kin_ask,
    "kin_agreed": _kin_news,
    "kin_stopped": _kin_news,
    "kin_over": _kin_news,
}
