"""What a relative may be in the middle of saying."""

from aiogram.fsm.state import State, StatesGroup


class Accepting(StatesGroup):
    """They agreed; the tie's id waits in the dialog as ``kin``."""

    name = State()
