"""What a liaison's buttons carry. Duties are asked for again, in SQL, when one comes back."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from handlers.callbacks import Id
from storage.register.answering import Habit

Offset = Annotated[int, Field(ge=0, le=1_000_000)]


Back = Annotated[str, Field(pattern=r"^[tnfo]?[0-9]{1,7}$")]
"""A list and the offset in it to go back to: a number is the silent list's, after a ``t`` the
tasks', after an ``n`` theirs who never answer, after an ``f`` theirs who answer less, after an
``o`` theirs who are asked too much."""


class TaskTap(CallbackData, prefix="lm"):
    """``task``: ``menu today silent tasks overasked broadcast rollcall rollcall_new invite inbox
    console mine``."""

    task: str


class SilentPageTap(CallbackData, prefix="ls"):
    offset: Offset


class PersonTap(CallbackData, prefix="lp"):
    """A name of a list."""

    person_id: Id
    back: Back


class TasksPageTap(CallbackData, prefix="lt"):
    offset: Offset


class HabitTap(CallbackData, prefix="lh"):
    """Those of a habit, from ``offset`` on."""

    habit: Habit
    offset: Offset


class OverAskedTap(CallbackData, prefix="lw"):
    offset: Offset


class CallTap(CallbackData, prefix="ll"):
    """``after`` is the last attempt that was shown: a second tap finds a newer one and stops."""

    person_id: Id
    reached: bool
    after: Id
    back: Back


class VisitTap(CallbackData, prefix="lv"):
    """As :class:`CallTap`, for someone whom the liaison went to see."""

    person_id: Id
    met: bool
    after: Id
    back: Back


class UndoTap(CallbackData, prefix="lu"):
    contact_id: Id
    back: Back


class AreaTap(CallbackData, prefix="la"):
    """``task``: ``invite``, ``broadcast`` or ``rollcall``, and the area it is for."""

    task: str
    area_id: Id


class AreaPageTap(CallbackData, prefix="lg"):
    task: str
    offset: Offset


class DraftTap(CallbackData, prefix="lb"):
    """``act``: ``send``, ``edit``, ``cancel``; ``draft`` names the preview it stands under."""

    act: str
    draft: str


class OutcomeTap(CallbackData, prefix="lo"):
    broadcast_id: Id


class StopTap(CallbackData, prefix="lz"):
    """``sure``: the second tap, which stops the broadcast; the first one asks."""

    broadcast_id: Id
    sure: bool


class InboxPageTap(CallbackData, prefix="lx"):
    offset: Offset


class CaseTap(CallbackData, prefix="lk"):
    """``act``: ``read``, ``answer``, ``close``."""

    case_id: Id
    act: str


class PlaceTap(CallbackData, prefix="rp"):
    """``act``: ``open`` shows finer places, ``take`` asks those who are there. Codes as stored."""

    act: str
    area_id: Id
    country: str | None = None
    province: str | None = None
    city: str | None = None


class CallDraftTap(CallbackData, prefix="rd"):
    """``act``: ``usual edit cancel``, and ``urgent`` or ``calm``, which ask; ``draft`` names the
    preview it stands under."""

    act: str
    draft: str = ""
