"""Reminders, as the worker chooses them: switched on and off in one tap, and back."""

from datetime import datetime

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import TopicTap
from handlers.keyboards import button
from handlers.say import Says, replace, say, toast
from handlers.words import Said
from handlers.worker.access import worker
from handlers.worker.topic_day import ask_day, no_more, today_of
from handlers.worker.topics_page import changed_page, name_of, subscribed_words, tap, topics_page
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.reminders.subscriptions import choice_of, choices_of, subscribe, take_back, unsubscribe

router = Router(name="topics")
router.message.filter(worker)
router.callback_query.filter(worker)


@router.message(
    Said(
        frozenset({"提醒", "服务提醒", "提醒我", "reminders", "reminder", "/reminders"}),
        "Reminders",
    )
)
async def show(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="reminders")
    return say(message.chat.id, *topics_page(await choices_of(tx, who, now)))


@router.callback_query(TopicTap.filter(F.act == "list"))
async def tap_list(
    tapped: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime
) -> Says:
    await state.clear()
    return [toast(tapped), replace(tapped, *topics_page(await choices_of(tx, who, now)))]


@router.callback_query(TopicTap.filter(F.act == "on"))
async def tap_on(
    tapped: CallbackQuery,
    callback_data: TopicTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """A topic without a date is on at once; for one with a date the day is asked."""
    choice = await choice_of(tx, who, callback_data.topic_id, now)
    if choice is None:
        return no_more(tapped)
    if choice.topic.asks is not None and not choice.chosen:
        return await ask_day(tapped, choice.topic, state, today_of(who, now))
    await state.clear()
    if not choice.chosen:
        await subscribe(tx, who, choice.topic, now)
    on = await choice_of(tx, who, choice.topic.id, now)
    assert on is not None  # it was there above, in the same transaction
    undo = button(_("Undo"), tap("off", choice.topic.id))
    note = subscribed_words(on, today_of(who, now))
    return [toast(tapped), replace(tapped, *changed_page(note, undo))]


@router.callback_query(TopicTap.filter(F.act == "off"))
async def tap_off(
    tapped: CallbackQuery,
    callback_data: TopicTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    await state.clear()
    choice = await choice_of(tx, who, callback_data.topic_id, now)
    if choice is None:
        return no_more(tapped)
    await unsubscribe(tx, who, choice.topic.id, now)
    note = _("“{topic}” is off.").format(topic=name_of(choice.topic))
    undo = button(_("Undo"), tap("undo", choice.topic.id))
    return [toast(tapped), replace(tapped, *changed_page(note, undo))]


@router.callback_query(TopicTap.filter(F.act == "undo"))
async def tap_undo(
    tapped: CallbackQuery, callback_data: TopicTap, tx: Tx, who: Who, now: datetime
) -> Says:
    """It was a slip: everything is as before, the day too."""
    if not await take_back(tx, who, callback_data.topic_id):
        return no_more(tapped)
    on = await choice_of(tx, who, callback_data.topic_id, now)
    if on is None:  # it was taken back, and the topic is stopped meanwhile
        return [toast(tapped), replace(tapped, *topics_page(await choices_of(tx, who, now)))]
    note = subscribed_words(on, today_of(who, now))
    return [toast(tapped), replace(tapped, *changed_page(note))]
