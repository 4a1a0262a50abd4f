"""What a worker may be in the middle of saying."""

from aiogram.fsm.state import State, StatesGroup


class Enrolling(StatesGroup):
    """``language`` and ``consent`` wait in memory; from ``name`` on the person is known."""

    language = State()
    consent = State()
    name = State()
    place = State()


class Telling(StatesGroup):
    """``urgency``: a call for help was asked how urgent it is; ``said`` are its words so far."""

    name = State()
    place = State()
    urgency = State()
    help = State()
    topic_day = State()
