"""What a tapped button carries. Ownership is always checked again when it comes back."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from storage.family.asking import Answer

# Beyond these a button is forged, and is no button of ours: databases would choke on the number.
Id = Annotated[int, Field(ge=0, le=2**53)]


class EnrolTap(CallbackData, prefix="en"):
    """Before consent nothing is kept, so the invite travels in the button.

    ``step``: ``lang``, ``agree``, ``decline``, ``more``.
    """

    step: str
    language: str
    token: str


class CheckinTap(CallbackData, prefix="ci"):
    """``answer``: ``ok``, ``moved``, ``home``, ``help``."""

    checkin_id: Id
    answer: str


class NewsTap(CallbackData, prefix="nw"):
    """``status``: ``away``, ``moving``, ``home``, or ``place`` to say where."""

    status: str


class PlaceTap(CallbackData, prefix="pl"):
    """``choice``: ``skip``, or ``message``: the place just noted was none."""

    choice: str


class HelpTap(CallbackData, prefix="hp"):
    """``urgency``: ``urgent``, ``calm``, ``back``."""

    urgency: str


class DataTap(CallbackData, prefix="md"):
    """``act`` on *My data*, with its ``value`` where it has one."""

    act: str
    value: str = ""


class TopicTap(CallbackData, prefix="tp"):
    """What a worker does with a topic: ``act`` ``list``, ``on``, ``off``, ``undo``, ``day``,
    ``pick``, ``often``, ``every``; ``value`` is a day or a part of one, a number of months, or
    both.
    """

    act: str
    topic_id: Id = 0
    value: str = ""


class ReminderTap(CallbackData, prefix="rm"):
    """``answer``: ``done``, ``later``, ``stop``; ``done.1`` and so on where one text stands below
    the reminder's in its message that has no buttons any more.
    """

    reminder_id: Id
    answer: str


class KinTap(CallbackData, prefix="kn"):
    """What a relative does: ``act`` ``heard``, ``fine``, ``mine``, ``stop``, about ``kin_id``."""

    act: str
    kin_id: Id = 0


class KinAnswerTap(CallbackData, prefix="ka"):
    """The answer to a question about someone of the family."""

    question_id: Id
    answer: Answer


class KinLinkTap(CallbackData, prefix="kl"):
    """Someone known opened a relative's link: ``choice`` ``agree`` or ``decline``."""

    choice: str
    token: str


class MoveTap(CallbackData, prefix="mv"):
    """Someone known opened another link: ``choice`` ``move``, ``join``, ``serve``, ``stay``."""

    choice: str
    token: str
