"""The page's words for a contact: what happened, and on whose word."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from aiogram.utils.i18n import gettext as _

from storage.calendar.zone import zone_of
from storage.register.evidence import CheckinSeen, ContactSeen


@dataclass(frozen=True, slots=True)
class Alike:
    """Contacts of one day that say the same, one after the other; the newest first, none left out.

    ``first`` and ``last`` are the times of the earliest and the latest, UTC.
    """

    contacts: tuple[ContactSeen, ...]

    @property
    def newest(self) -> ContactSeen:
        return self.contacts[0]

    @property
    def first(self) -> datetime:
        return self.contacts[-1].at

    @property
    def last(self) -> datetime:
        return self.contacts[0].at


def group_alike(contacts: Sequence[ContactSeen], zone: str) -> list[Alike]:
    """The contacts in their order, those alike together; the day is the zone's.

    What a person did themselves is put together; an officer's or the family's word stands alone.
    """

    def kind(contact: ContactSeen) -> tuple[object, ...]:
        if contact.evidence != "self" or contact.corrected or contact.note:
            return (contact.id,)
        day = contact.at.astimezone(zone_of(zone)).date()
        return day, what_happened(contact)

    return [Alike(tuple(those)) for _kind, those in groupby(contacts, kind)]


def what_happened(contact: ContactSeen) -> str:
    """One short phrase, such as "answered a check-in: all well"."""
    if contact.evidence == "liaison":
        return _attempt(contact)
    if contact.kind == "checkin":
        return _("answered a check-in: {answer}").format(answer=answer_word(contact.outcome))
    if contact.kind == "status":
        return _("said how things are: {status}").format(status=status_word(contact.outcome))
    return {
        "message": _("wrote or tapped in the chat"),
        "help": _("asked for help"),
        "room": _("was in the family room"),
        "vouch": _("family said all is well"),
    }.get(contact.kind, contact.kind)


def _attempt(contact: ContactSeen) -> str:
    if contact.success:
        return {
            "call": _("a call, reached"),
            "visit": _("a visit, met"),
            "message": _("a message, answered"),
        }.get(contact.kind, contact.kind)
    return {
        "call": _("a call, not reached"),
        "visit": _("a visit, not met"),
        "message": _("a message, not answered"),
    }.get(contact.kind, contact.kind)


def on_whose_word(contact: ContactSeen) -> str:
    return {
        "self": _("their own word"),
        "relative": _("the family's word"),
        "liaison": _("a liaison's note"),
    }.get(contact.evidence, contact.evidence)


def answer_word(answer: str) -> str:
    return {
        "ok": _("all well"),
        "moved": _("moved elsewhere"),
        "home": _("going home"),
        "help": _("needs help"),
    }.get(answer, answer)


def status_word(status: str) -> str:
    return {
        "away": _("working away"),
        "moving": _("on the move"),
        "home": _("at home"),
        "paused": _("taking a pause"),
        "left": _("left"),
    }.get(status, status)


def checkin_outcome(checkin: CheckinSeen) -> str:
    if checkin.answered_at is not None:
        answer = answer_word(checkin.answer or "ok")
        if checkin.in_time:
            return _("answered in time: {answer}").format(answer=answer)
        return _("answered later: {answer}").format(answer=answer)
    if checkin.delivered_at is not None:
        return _("delivered, no answer yet")
    return _("not delivered")
