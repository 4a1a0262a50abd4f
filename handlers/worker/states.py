"""What a worker may be in the middle of saying."""

from aiogram.fsm.state import State, StatesGroup


class Enrolling(StatesGroup):
    """``language`` and ``consent`` wait in memory; from ``name`` on the person is known."""

    language = State()
    consent = State()
    name = State()
    place = State()


class Telling(StatesGroup):
    name = State()
    place = State()
    help = State()
    topic_day = State()
