"""A letter being written: to whom, and what is at hand for it."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardMarkup

from handlers.long_text import split_text
from handlers.rollcall_letters import Ended
from scheduler.letters import Letter, Ready
from storage.family.asking import Asked
from storage.family.ties import Parties
from storage.outbox.claims import Address
from storage.outbox.contents import CaseAbout, CaseWords, Told
from storage.reminders.answers import Told as Reminded
from storage.rhythm.digests import Lying

Part = TelegramMethod[Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What the batch's messages are about, by the ids they point with."""

    rollcalls: Mapping[int, Told]
    broadcasts: Mapping[int, Told]
    cases: Mapping[int, CaseAbout]
    words: Mapping[int, CaseWords]
    params: Mapping[int, Mapping[str, Any]]
    questions: Mapping[int, Asked]
    ties: Mapping[int, Parties]
    tasks: Mapping[int, Lying]
    raised: Mapping[int, Lying]
    """What lies with the officers who are told of it, by officer."""
    ended: Mapping[int, Ended]
    """What is told of roll calls that are over, by message."""
    reminders: Mapping[int, Reminded]
    """What reminders say, by message."""
    heard: Set[int]
    """Check-ins asked about once more since which there was word."""
    notices: dict[tuple[int, str, int, bool], list[Part]] = field(default_factory=dict)
    """A broadcast's messages, by broadcast, language, bot and whether they come silently: written
    once for all of the batch."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One message being written: to whom, and with what at hand."""

    ready: Ready
    to: Address
    name: str
    batch: Batch
    max_text: int
    paid: bool

    def text(self, words: str, markup: InlineKeyboardMarkup | None = None) -> Letter:
        """A text in as many messages as it takes, the buttons under the last."""
        return Letter(self.texts(words, markup))

    def texts(self, words: str, markup: InlineKeyboardMarkup | None = None) -> list[Part]:
        pieces = split_text(words, self.max_text)
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
