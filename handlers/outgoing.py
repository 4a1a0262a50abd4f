"""What is sent unasked, in the recipient's language: check-ins, roll calls, notices, cases."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from handlers.abilities import Abilities
from handlers.carried import carry
from handlers.keyboards import checkin_answers
from handlers.liaison.casepage import media_words
from handlers.liaison.keyboards import case_rows
from handlers.long_text import split_text
from handlers.notice import notice_text
from handlers.relative import letters as family
from scheduler.letters import Letter, Ready, Withheld
from storage.database import Tx
from storage.family.asking import Asked, questions_asked
from storage.family.ties import Parties, parties_of
from storage.outbox.claims import Address
from storage.outbox.contents import (
    CaseAbout,
    CaseWords,
    Told,
    broadcasts_of,
    case_words,
    cases_of,
    params_of,
    rollcalls_of,
)
from storage.people.places import place_name
from storage.vault import SealBroken

_log = structlog.get_logger(__name__)

_BY_NAME: Final = ("checkin",)
"""Templates that call people by their name; for the others it stays sealed."""

Part = TelegramMethod[Any]
_FAMILY: Final = ("kin_ask", "kin_agreed", "kin_stopped", "kin_over")


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the batch's messages are about, by the ids they point with."""

    rollcalls: Mapping[int, Told]
    broadcasts: Mapping[int, Told]
    cases: Mapping[int, CaseAbout]
    words: Mapping[int, CaseWords]
    params: Mapping[int, Mapping[str, Any]]
    questions: Mapping[int, Asked]
    ties: Mapping[int, Parties]
    notices: dict[tuple[int, str, int], list[str]] = field(default_factory=dict)
    """The pieces of a broadcast's text, by broadcast, language and the longest a piece may be:
    written once for all of the batch."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """One message being written: to whom, and with what at hand."""

    ready: Ready
    to: Address
    name: str
    batch: _Batch
    max_text: int
    paid: bool

    def text(self, words: str, markup: InlineKeyboardMarkup | None = None) -> Letter:
        """A text in as many messages as it takes, the buttons under the last."""
        return Letter(self.texts(words, markup))

    def texts(self, words: str, markup: InlineKeyboardMarkup | None = None) -> list[Part]:
        return self.pieces(split_text(words, self.max_text), markup)

    def pieces(
        self, pieces: Sequence[str], markup: InlineKeyboardMarkup | None = None
    ) -> list[Part]:
        last = len(pieces) - 1
        return [
            SendMessage(
                chat_id=self.to.chat_id,
                text=piece,
                reply_markup=markup if number == last else None,
                disable_notification=True if self.ready.silent else None,
                allow_paid_broadcast=True if self.paid else None,
            )
            for number, piece in enumerate(pieces)
        ]


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


async def _load(tx: Tx, batch: Sequence[Ready]) -> _Batch:
    messages = [ready.message for ready in batch]

    def ids(found: Iterable[int | None]) -> set[int]:
        return {it for it in found if it is not None}

    params = await params_of(tx, [it.id for it in messages if it.template in _FAMILY])
    return _Batch(
        rollcalls=await rollcalls_of(
            tx, ids(it.checkin_id for it in messages if it.template == "rollcall")
        ),
        broadcasts=await broadcasts_of(tx, ids(it.broadcast_id for it in messages)),
        cases=await cases_of(tx, ids(it.case_id for it in messages)),
        words=await case_words(tx, ids(it.case_message_id for it in messages)),
        params=params,
        questions=await questions_asked(tx, ids(it.get("question") for it in params.values())),
        ties=await parties_of(tx, ids(it.get("kin") for it in params.values())),
    )


def _write(
    tx: Tx, ready: Ready, content: _Batch, abilities: Mapping[int, Abilities]
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
        return writer(_Draft(ready, to, name, content, able.max_text, able.paid))
    except SealBroken:
        return Withheld("failed", "the name cannot be read with this secret key")
    except Exception as error:  # noqa: BLE001  # one bad row must not hold up the rest
        _log.exception("a message could not be written", delivery=message.id)
        return Withheld("failed", f"could not be written: {type(error).__name__}")


def _checkin(draft: _Draft) -> Letter | Withheld:
    checkin_id = draft.ready.message.checkin_id
    if checkin_id is None:
        return Withheld("failed", "its check-in is missing")
    if draft.name:
        words = _("{name}, how has your week been? One tap, and those at home can rest easy.")
    else:
        words = _("How has your week been? One tap, and those at home can rest easy.")
    return draft.text(words.format(name=draft.name), checkin_answers(checkin_id))


def _nudge(draft: _Draft) -> Letter | Withheld:
    words = _(
        "We haven't heard from you yet. A tap when you have a moment, and we know you're well."
    )
    return _asking(draft, words)


def _nudge_again(draft: _Draft) -> Letter | Withheld:
    words = _(
        "No word from you this week. If now is a bad time, “My data” lets you pick another hour, "
        "or hear from us less often."
    )
    return _asking(draft, words)


def _asking(draft: _Draft, words: str) -> Letter | Withheld:
    checkin_id = draft.ready.message.checkin_id
    if checkin_id is None:
        return Withheld("failed", "its check-in is missing")
    return draft.text(words, checkin_answers(checkin_id))


def _rollcall(draft: _Draft) -> Letter | Withheld:
    checkin_id = draft.ready.message.checkin_id
    told = draft.batch.rollcalls.get(checkin_id or 0)
    if checkin_id is None or told is None:
        return Withheld("failed", "its roll call is missing")
    words = [
        _("{area} is asking everyone:").format(area=told.area_name),
        told.text,
        _("Tap one answer, so that we know you are safe."),
    ]
    return draft.text("\n\n".join(words), checkin_answers(checkin_id))


def _broadcast(draft: _Draft) -> Letter | Withheld:
    message = draft.ready.message
    broadcast_id = message.broadcast_id or 0
    known = (broadcast_id, message.language, draft.max_text)
    pieces = draft.batch.notices.get(known)
    if pieces is None:
        told = draft.batch.broadcasts.get(broadcast_id)
        if told is None:
            return Withheld("failed", "its notice is missing")
        pieces = split_text(notice_text(told.area_name, told.text), draft.max_text)
        draft.batch.notices[known] = pieces
    return Letter(draft.pieces(pieces))


def _case_new(draft: _Draft) -> Letter | Withheld:
    return _to_officer(draft, _("{name} from {area} asks:"), _("{name} from {area} sent {media}."))


def _case_more(draft: _Draft) -> Letter | Withheld:
    return _to_officer(draft, _("{name} from {area} adds:"), _("{name} from {area} sent {media}."))


def _help_urgent(draft: _Draft) -> Letter | Withheld:
    head = _("{name} from {area} needs help, and it is urgent.")
    return _to_officer(draft, head, head, urgent=True)


def _to_officer(
    draft: _Draft, head_words: str, head_media: str, *, urgent: bool = False
) -> Letter | Withheld:
    """A case as an officer first sees it: who, what they said, how to answer."""
    message = draft.ready.message
    about = draft.batch.cases.get(message.case_id or 0)
    if message.case_id is None or about is None:
        return Withheld("failed", "its case is missing")
    if about.name is None:
        return Withheld("cancelled", "the person who asked has left")
    said = draft.batch.words.get(message.case_message_id or 0)
    name = about.name or _("Someone without a name")
    media = said.media if said else None
    wordless = said is None or not (said.text or media)
    if wordless and not urgent:
        head_words = _("{name} from {area} asks for help, without words yet.")
    head = head_media if media else head_words
    lines = [
        head.format(name=name, area=about.area_name, media=media_words(media) if media else "")
    ]
    if about.family_of:
        lines[0] += "\n" + _("Family of: {names}").format(names=", ".join(about.family_of))
    if said and said.text:
        lines.append(said.text)
    if urgent:
        lines.append(_where_and_phone(about, message.language))
    lines.append(_("Reply to this message, and your answer goes to {name}.").format(name=name))
    markup = InlineKeyboardMarkup(inline_keyboard=case_rows(message.case_id))
    words = "\n\n".join(lines)
    file = (
        carry(said, draft.to, words, markup, silent=draft.ready.silent)
        if said is not None
        else None
    )
    if file is None:
        return draft.text(words, markup)
    if file.with_words:
        return Letter([file.part])
    # The words last: theirs is the message that a reply is matched with.
    return Letter([file.part, *draft.texts(words, markup)])


def _where_and_phone(about: CaseAbout, language: str) -> str:
    known = place_name(about.country, about.province, about.city, language) or about.place
    lines = [
        _("Where: {place}").format(place=known) if known else _("Where they are is not known."),
        _("Phone: {phone}").format(phone=about.phone)
        if about.phone
        else _("There is no phone number for them."),
    ]
    return "\n".join(lines)


def _case_reply(draft: _Draft) -> Letter | Withheld:
    said = draft.batch.words.get(draft.ready.message.case_message_id or 0)
    if said is None or not said.text:
        return Withheld("failed", "its answer is missing")
    head = (
        _("{name} answers you:").format(name=said.author)
        if said.author
        else _("Your liaison answers you:")
    )
    return draft.text(f"{head}\n\n{said.text}")


def _kin_ask(draft: _Draft) -> Letter | Withheld:
    question_id = int(draft.batch.params.get(draft.ready.message.id, {}).get("question", 0))
    written = family.ask(question_id, draft.batch.questions.get(question_id))
    return written if isinstance(written, Withheld) else draft.text(*written)


def _kin_news(draft: _Draft) -> Letter | Withheld:
    message = draft.ready.message
    kin_id = int(draft.batch.params.get(message.id, {}).get("kin", 0))
    written = family.tell(message.template, draft.batch.ties.get(kin_id))
    return written if isinstance(written, Withheld) else draft.text(*written)


_WRITERS: Final[Mapping[str, Callable[[_Draft], Letter | Withheld]]] = {
    "checkin": _checkin,
    "nudge": _nudge,
    "nudge_again": _nudge_again,
    "rollcall": _rollcall,
    "broadcast": _broadcast,
    "case_new": _case_new,
    "case_more": _case_more,
    "case_reply": _case_reply,
    "help_urgent": _help_urgent,
    "kin_ask": _kin_ask,
    "kin_agreed": _kin_news,
    "kin_stopped": _kin_news,
    "kin_over": _kin_news,
}
