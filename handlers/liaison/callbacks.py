"""What a liaison's buttons carry. Duties are asked for again, in SQL, when one comes back."""

from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from handlers.callbacks import Id

Offset = Annotated[int, Field(ge=0, le=1_000_000)]


class TaskTap(CallbackData, prefix="lm"):
    """``task``: ``menu today silent broadcast invite inbox console mine``."""

    task: str


class SilentPageTap(CallbackData, prefix="ls"):
    offset: Offset


class PersonTap(CallbackData, prefix="lp"):
    """A name of the silent list; ``offset`` is the page to go back to."""

    person_id: Id
    offset: Offset


class CallTap(CallbackData, prefix="ll"):
    """``after`` is the last attempt that was shown: a second tap finds a newer one and stops."""

    person_id: Id
    reached: bool
    after: Id
    offset: Offset


class UndoTap(CallbackData, prefix="lu"):
    contact_id: Id
    offset: Offset


class AreaTap(CallbackData, prefix="la"):
    """``task``: ``invite`` or ``broadcast``, and the area it is for."""

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
