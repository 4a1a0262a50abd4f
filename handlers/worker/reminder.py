"""Answering a reminder: seen to it, later, no more; a tap or a word."""

from datetime import datetime
from typing import Any, Final

from aiogram import F, Router
from aiogram.filters import Filter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import ReminderTap
from handlers.days import day_words
from handlers.keyboards import button
from handlers.say import Says, replace, say, toast
from handlers.words import plain
from handlers.worker.access import worker
from handlers.worker.topics_page import tap as topic_tap
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.reminders.answers import Answer, Answered, answer_reminder, open_reminder
from storage.reminders.topics import in_language

router = Router(name="reminder")
router.message.filter(worker)
router.callback_query.filter(worker)

_TAPS: Final[dict[str, Answer]] = {"done": "done", "later": "later", "stop": "stop"}
_WORDS: Final[dict[str, Answer]] = {
    "办好了": "done",
    "办了": "done",
    "已经办了": "done",
    "办完了": "done",
    "done": "done",
    "seen to it": "done",
    "过几天再说": "later",
    "过几天再提醒": "later",
    "remind me later": "later",
    "later": "later",
    "不用再提醒了": "stop",
    "不用提醒了": "stop",
    "别提醒了": "stop",
    "no more of this": "stop",
    "no more": "stop",
}


def receipt(said: Answer, answered: Answered) -> tuple[str, InlineKeyboardMarkup | None]:
    """What stands where the reminder stood."""
    topic = in_language(answered.names, get_i18n().current_locale)
    if said == "later" and answered.again_on is not None:
        day = day_words(answered.again_on)
        return _("{topic}: all right, again on {day}.").format(topic=topic, day=day), None
    if said == "stop":
        text = _("{topic}: all right, no more of this. “Reminders” brings it back.")
        undo = button(_("Undo"), topic_tap("undo", answered.topic_id))
        return text.format(topic=topic), InlineKeyboardMarkup(inline_keyboard=[[undo]])
    if answered.next_on is not None:
        day = day_words(answered.next_on)
        return _("{topic}: good, that is done. The next time we write on {day}.").format(
            topic=topic, day=day
        ), None
    if answered.over and answered.asks is not None:
        again = button(_("There is a new day"), topic_tap("on", answered.topic_id))
        text = _("{topic}: good, that is done. When there is a new day for it, tell us.")
        return text.format(topic=topic), InlineKeyboardMarkup(inline_keyboard=[[again]])
    return _("{topic}: good, that is done.").format(topic=topic), None


@router.callback_query(ReminderTap.filter(F.answer.regexp(r"(done|later|stop)(\.[1-9])?\Z")))
async def tap_answer(
    tapped: CallbackQuery, callback_data: ReminderTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """The tapped message becomes its receipt."""
    said = _TAPS[callback_data.answer.partition(".")[0]]
    answered = await answer_reminder(tx, who, callback_data.reminder_id, said, now)
    if answered is None:
        return toast(tapped, _("This button isn't yours to answer."))
    if not answered.first:
        return toast(tapped, _("We have your answer already. Thank you."))
    await record_heard(tx, who, now, kind="message", outcome="reminder")
    return [toast(tapped), replace(tapped, *receipt(said, answered))]


class Words(Filter):
    """Words that answer the newest reminder; without an open one they are about something else."""

    async def __call__(
        self, message: Message, tx: Tx, who: Who, now: datetime, raw_state: str | None = None
    ) -> bool | dict[str, Any]:
        said = _WORDS.get(plain(message.text or "")) if raw_state is None else None
        if said is None:
            return False
        reminder_id = await open_reminder(tx, who.person_id, now)
        return False if reminder_id is None else {"said": said, "reminder_id": reminder_id}


@router.message(F.text, Words())
async def say_answer(
    message: Message, said: Answer, reminder_id: int, tx: Tx, who: Who, now: datetime
) -> Says:
    answered = await answer_reminder(tx, who, reminder_id, said, now)
    assert answered is not None
    await record_heard(tx, who, now, kind="message", outcome="reminder")
    return say(message.chat.id, *receipt(said, answered))
