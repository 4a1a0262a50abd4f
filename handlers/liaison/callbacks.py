"""What a liaison's buttons carry. Duties are asked for again, in SQL, when one comes back."""

from aiogram.filters.callback_data import CallbackData


class TaskTap(CallbackData, prefix="lm"):
    """``task``: ``menu today silent broadcast invite inbox console mine``."""

    task: str


class SilentPageTap(CallbackData, prefix="ls"):
    offset: int


class PersonTap(CallbackData, prefix="lp"):
    """A name of the silent list; ``offset`` is the page to go back to."""

    person_id: int
    offset: int


class CallTap(CallbackData, prefix="ll"):
    """``after`` is the last attempt that was shown: a second tap finds a newer one and stops."""

    person_id: int
    reached: bool
    after: int
    offset: int


class UndoTap(CallbackData, prefix="lu"):
    contact_id: int
    offset: int


class AreaTap(CallbackData, prefix="la"):
    """``task``: ``invite`` or ``broadcast``, and the area it is for."""

    task: str
    area_id: int


class AreaPageTap(CallbackData, prefix="lg"):
    task: str
    offset: int


class DraftTap(CallbackData, prefix="lb"):
    """``act``: ``send``, ``edit``, ``cancel``; ``draft`` names the preview it stands under."""

    act: str
    draft: str


class OutcomeTap(CallbackData, prefix="lo"):
    broadcast_id: int


class InboxPageTap(CallbackData, prefix="lx"):
    offset: int


class CaseTap(CallbackData, prefix="lk"):
    """``act``: ``read``, ``answer``, ``close``."""

    case_id: int
    act: str
