"""Answering a check-in: one tap, or a word. Without an open one, the word is a status report."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiogram import F, Router
from aiogram.filters import Filter
from aiogram.fsm.context import FSMContext
from aiogram.methods import EditMessageReplyMarkup, TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import CheckinTap
from handlers.keyboards import place_skip, urgency_choice
from handlers.reminder_letters import reminder_answers
from handlers.say import Markup, Says, clock_time, replace, say, toast
from handlers.words import as_answer, is_label, plain
from handlers.worker.access import worker
from handlers.worker.help_call import ask_urgency, take_back, wait_for_urgency
from handlers.worker.place import ask_place
from handlers.worker.states import Enrolling, Telling
from handlers.worker.urgency import ALL_WELL
from scheduler.learned_hour import learn_hour
from storage.database import Tx
from storage.people.status import set_status
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.reminders.answers import reminders_beside
from storage.rhythm.checkins import Answered, OpenCheckin, answer_checkin, open_checkin

router = Router(name="checkin")
router.message.filter(worker)
router.callback_query.filter(worker)
ANSWERS = frozenset({"ok", "moved", "home", "help"})
ANSWER_TAP = CheckinTap.filter(F.answer.in_(ANSWERS))
_OPEN_TO_ANSWERS = (
    None,
    Telling.place.state,
    Telling.topic_day.state,
    Enrolling.place.state,
)


def receipt(
    who: Who, answer: str, now: datetime, *, in_time: bool = True, over: bool = False
) -> str:
    """What stands where the question stood; ``over``: a roll call had ended before."""
    time = clock_time(now, who.timezone)
    if over and answer != "help":
        return _(
            "Got it, {time}. The roll call is over, and it is good to know you're safe."
        ).format(time=time)
    if not in_time and answer == "ok":
        return _("That was an old question, but good to hear from you now, {time}.").format(
            time=time
        )
    if answer == "ok":
        said = _("Got it, {time}. Glad you're well.")
    elif answer == "moved":
        said = _("Got it, {time}. You've moved.")
    elif answer == "home":
        said = _("Got it, {time}. Have a good time at home; we won't ask until you're away again.")
    else:
        said = _("Got it, {time}. You need help.")
    return said.format(time=time)


@router.callback_query(ANSWER_TAP)
async def tap_answer(
    tap: CallbackQuery,
    callback_data: CheckinTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """The tapped message becomes its receipt."""
    answer = callback_data.answer
    answered = await answer_checkin(
        tx,
        checkin_id=callback_data.checkin_id,
        person_id=who.person_id,
        answer=answer,
        now=now,
    )
    if answered is None:
        return toast(tap, _("This button isn't yours to answer."))
    if not answered.first:
        if answer != "help":
            return toast(tap, _("We have your answer already. Thank you."))
        # A call for help counts even from a screen that still shows an answered question.
        return [toast(tap), *await _go_on(tx, who, state, now, answer)]
    await learn_hour(tx, who, answered, now)
    await record_heard(
        tx, who, now, kind="checkin", outcome=answer, checkin_id=callback_data.checkin_id
    )
    return [
        toast(tap),
        replace(tap, receipt(who, answer, now, in_time=answered.in_time, over=answered.over)),
        *await _take_off(tx, answered, who, tap),
        *await _go_on(tx, who, state, now, answer),
    ]


async def _take_off(
    tx: Tx, answered: Answered, who: Who, tap: CallbackQuery | None = None
) -> list[TelegramMethod[Any]]:
    """Where else a roll call asks what is answered now, its buttons go."""
    tapped = None if tap is None or tap.message is None else tap.message.message_id
    return [
        await _without_answers(tx, who, other)
        for other in answered.others
        if other.rollcall and other.bot_id == who.bot_id and other.message_id != tapped
    ]


async def _without_answers(tx: Tx, who: Who, asked: OpenCheckin) -> TelegramMethod[Any]:
    """The message that asks loses its buttons; a reminder that stands above keeps its own."""
    open_beside: Sequence[int] = ()
    if asked.chat_id == who.chat_id:
        open_beside = await reminders_beside(tx, who.person_id, who.account_id, asked.message_id)
    rows = [row for it in open_beside for row in reminder_answers(it, below=1).inline_keyboard]
    markup = InlineKeyboardMarkup(inline_keyboard=rows) if rows else None
    return EditMessageReplyMarkup(
        chat_id=asked.chat_id, message_id=asked.message_id, reply_markup=markup
    )


async def _go_on(
    tx: Tx, who: Who, state: FSMContext, now: datetime, answer: str
) -> list[TelegramMethod[Any]]:
    """What follows an answer besides its receipt."""
    follow: tuple[str, Markup] | None = None
    if answer == "moved":
        await state.set_state(Telling.place)
        follow = ask_place(), place_skip()
    elif answer == "home":
        await set_status(tx, who, "home", now)
    elif answer == "help":
        await wait_for_urgency(state, who)
        follow = ask_urgency(), urgency_choice()
    return [say(who.chat_id, *follow)] if follow else []


class Answer(Filter):
    """Words that answer; the label of the menu's first button is one of them.

    A question after the place may lie there unanswered for weeks: these words are no place.
    """

    async def __call__(
        self, message: Message, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        if message.text is None:
            return False
        if is_label(message.text, "I'm fine"):
            return {"answer": "ok"}
        if raw_state == Telling.urgency.state and plain(message.text) in ALL_WELL:
            return {"answer": "ok"}
        answer = as_answer(message.text) if raw_state in _OPEN_TO_ANSWERS else None
        return {"answer": answer} if answer else False


@router.message(Answer())
async def say_answer(
    message: Message, answer: str, tx: Tx, who: Who, state: FSMContext, now: datetime
) -> Says:
    """A word answers the open check-in; without one it reports how things are."""
    open_one = await open_checkin(tx, who.person_id, now)
    speech: list[TelegramMethod[Any]] = []
    if open_one is None:
        await record_heard(
            tx, who, now, kind="help" if answer == "help" else "status", outcome=answer
        )
    else:
        answered = await answer_checkin(
            tx, checkin_id=open_one.id, person_id=who.person_id, answer=answer, now=now
        )
        others: list[TelegramMethod[Any]] = []
        if answered is not None:
            await learn_hour(tx, who, answered, now)
            others = await _take_off(tx, answered, who)
        await record_heard(tx, who, now, kind="checkin", outcome=answer, checkin_id=open_one.id)
        if open_one.rollcall:
            speech += others
        elif open_one.bot_id == who.bot_id and open_one.message_id is not None:
            speech += others
            speech.append(await _without_answers(tx, who, open_one))
    if answer == "ok":
        await take_back(tx, who, state, now, message.text)
    if answer != "help":
        speech.append(say(message.chat.id, receipt(who, answer, now)))
    return [*speech, *await _go_on(tx, who, state, now, answer)]
