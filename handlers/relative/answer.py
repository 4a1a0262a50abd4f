"""Answering "have you heard from …?": by a button, by a word, or by a reply to the question."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiogram import Router
from aiogram.filters import Filter, StateFilter
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import KinAnswerTap
from handlers.keyboards import button
from handlers.relative.access import only_family, relative
from handlers.relative.menu import called, fine_button
from handlers.relative.words import as_kin_answer
from handlers.say import Says, clock_time, replace, say, toast
from handlers.worker.access import known
from storage.database import Tx
from storage.family.asking import Answer
from storage.family.words import (
    KinSaid,
    OpenQuestion,
    answer_question,
    open_questions,
    question_of_message,
)
from storage.people.who import Who

router = Router(name="relative.answer")
router.message.filter(relative)
router.callback_query.filter(known)
words = Router(name="relative.words")
words.message.filter(relative, only_family)


def told(said: KinSaid, who: Who, now: datetime) -> tuple[str, InlineKeyboardMarkup | None]:
    """What a relative hears back, warmly; where nothing was noted, why."""
    if said.about is None:
        gone = _("You are not asked about them any more, so nothing was noted. Thank you.")
        return (_("This button isn't yours to answer.") if said.what == "foreign" else gone), None
    name = called(said.about.name)
    if said.what == "again":
        return _("We have your answer already. Thank you."), None
    if said.what == "today":
        return _("We noted that today already; once a day is enough. Thank you."), None
    if said.what == "late":
        late = _("That question is over. If you have heard from {name} since, tap below.")
        rows = [[fine_button(said.about.name, said.about.kin_id)]]
        return late.format(name=name), InlineKeyboardMarkup(inline_keyboard=rows)
    if said.answer == "fine":
        receipt = _("Noted, {time}: {name} is fine. Thank you, that is good to know.")
    elif said.answer == "no":
        receipt = _("Thank you for telling us, {time}. Once you hear from {name}, one tap does it.")
    else:
        receipt = _("Thank you, {time}. We pass it on to the liaison of {area}, who will call.")
    area = said.about.area_name
    return receipt.format(time=clock_time(now, who.timezone), name=name, area=area), None


@router.callback_query(KinAnswerTap.filter())
async def tap_answer(
    tap: CallbackQuery, callback_data: KinAnswerTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """The tapped question becomes its receipt."""
    said = await answer_question(tx, who, callback_data.question_id, callback_data.answer, now)
    text, markup = told(said, who, now)
    if said.what in ("foreign", "again"):
        return toast(tap, text)
    return [toast(tap), replace(tap, text, markup)]


class AnswersQuestion(Filter):
    """A reply to a question's message, with words that answer it."""

    async def __call__(self, message: Message, tx: Tx, who: Who) -> bool | dict[str, Any]:
        answer = as_kin_answer(message.text or "")
        if answer is None or message.reply_to_message is None:
            return False
        asked = message.reply_to_message.message_id
        question_id = await question_of_message(tx, who.account_id, asked)
        return {"question_id": question_id, "answer": answer} if question_id else False


@router.message(AnswersQuestion())
async def reply_answer(
    message: Message, question_id: int, answer: Answer, tx: Tx, who: Who, now: datetime
) -> Says:
    said = await answer_question(tx, who, question_id, answer, now)
    return say(message.chat.id, *told(said, who, now))


class WordsForQuestion(Filter):
    """Words that answer, while something is asked; who is asked about two is asked which."""

    async def __call__(
        self, message: Message, tx: Tx, who: Who, now: datetime
    ) -> bool | dict[str, Any]:
        answer = as_kin_answer(message.text or "")
        if answer is None:
            return False
        asked = await open_questions(tx, who.person_id, now)
        return {"asked": asked, "answer": answer} if asked else False


@words.message(StateFilter(None), WordsForQuestion())
async def say_answer(
    message: Message,
    asked: Sequence[OpenQuestion],
    answer: Answer,
    tx: Tx,
    who: Who,
    now: datetime,
) -> Says:
    if len(asked) == 1:
        said = await answer_question(tx, who, asked[0].id, answer, now)
        return say(message.chat.id, *told(said, who, now))
    rows = [
        [button(called(one.name), KinAnswerTap(question_id=one.id, answer=answer).pack())]
        for one in asked
    ]
    return say(message.chat.id, _("Whom do you mean?"), InlineKeyboardMarkup(inline_keyboard=rows))
