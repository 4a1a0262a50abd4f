"""What a liaison can be in the middle of. ``menu`` always gets out."""

from aiogram.fsm.state import State, StatesGroup


class Broadcasting(StatesGroup):
    """``writing`` keeps ``area_id``; ``confirming`` keeps ``area_id``, ``text``, ``draft``."""

    writing = State()
    confirming = State()


class Answering(StatesGroup):
    """``writing`` keeps ``case_id`` and ``since`` (ISO, UTC)."""

    writing = State()


class Calling(StatesGroup):
    """``writing`` keeps ``area_id`` and the place; ``confirming`` also ``text`` (empty: the usual
    words) and ``draft``."""

    writing = State()
    confirming = State()
