"""The day of a topic: written as people write days, or picked from buttons; and how often."""

from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from aiogram import F, Router
from aiogram.filters import Filter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import TopicTap
from handlers.days import NoSuchDay, OnlyMonth, day_words, looks_like_day, read_day
from handlers.keyboards import button
from handlers.say import Says, replace, say, toast
from handlers.worker.access import worker
from handlers.worker.fallback import pass_on
from handlers.worker.states import Telling
from handlers.worker.topics_page import (
    ask_month,
    ask_number,
    ask_often,
    ask_year,
    changed_page,
    name_of,
    no_such_day,
    subscribed_words,
    tap,
)
from handlers.worker.typed import is_something_else, or_once_more
from storage.calendar.personal_dates import lies_behind
from storage.calendar.zone import zone_of
from storage.database import Tx
from storage.people.who import Who
from storage.register.contacts import record_heard
from storage.reminders.subscriptions import (
    EVERY,
    BadDay,
    Choice,
    choice_of,
    subscribe,
)
from storage.reminders.topics import TopicInfo

router = Router(name="topic_day")
router.message.filter(worker)
router.callback_query.filter(worker)
Page = tuple[str, InlineKeyboardMarkup]
CORRECTABLE: Final = timedelta(minutes=10)
"""So long after a day was kept another one, written on its own, takes its place."""
_UNREAD: Final = "unread"
"""An answer could not be read: the next such one is about something else."""


class Carried(NamedTuple):
    """What a day keeps of the one it corrects: how often it comes, and that it can be undone."""

    every: int | None = None
    new: bool = False


def today_of(who: Who, now: datetime) -> date:
    return now.astimezone(zone_of(who.timezone)).date()


def no_more(tapped: CallbackQuery) -> Says:
    """A topic that is offered no more, or never was."""
    return toast(tapped, _('This button no longer does anything. "Menu" shows what you can do.'))


async def ask_day(tapped: CallbackQuery, topic: TopicInfo, state: FSMContext, today: date) -> Says:
    """Ask for the day that a topic needs; it may be written, or picked."""
    await _wait_for_day(state, topic)
    return [toast(tapped), replace(tapped, *ask_year(topic, today))]


async def _wait_for_day(
    state: FSMContext, topic: TopicInfo, carried: Carried | None = None
) -> None:
    await state.set_state(Telling.topic_day)
    await state.set_data({"topic": topic.id} | (carried._asdict() if carried else {}))


async def _may_be_corrected(
    state: FSMContext, topic: TopicInfo, carried: Carried, now: datetime
) -> None:
    """No dialog waits, so every word but a day means what it always does."""
    await state.set_state(None)
    until = (now + CORRECTABLE).isoformat()
    await state.set_data({"topic": topic.id, "until": until, **carried._asdict()})


async def _carried(state: FSMContext, choice: Choice, now: datetime) -> Carried:
    data = await state.get_data()
    if data.get("topic") != choice.topic.id or "new" not in data or _is_over(data, now):
        return Carried(new=not choice.chosen)
    return Carried(data["every"], data["new"])


def _is_over(data: dict[str, Any], now: datetime) -> bool:
    return "until" in data and now >= datetime.fromisoformat(data["until"])


@router.callback_query(TopicTap.filter(F.act == "day"))
async def tap_day(
    tapped: CallbackQuery,
    callback_data: TopicTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    choice = await _dated(tx, who, callback_data.topic_id, now)
    if choice is None:
        return no_more(tapped)
    return await ask_day(tapped, choice.topic, state, today_of(who, now))


@router.callback_query(TopicTap.filter(F.act == "pick"))
async def tap_pick(
    tapped: CallbackQuery,
    callback_data: TopicTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """A year, a month of it, a day of that."""
    choice = await _dated(tx, who, callback_data.topic_id, now)
    picked = _picked(callback_data.value)
    if choice is None or picked is None:
        return no_more(tapped)
    carried = await _carried(state, choice, now)
    if isinstance(picked, date):
        page = await _keep(tx, who, choice, picked, state, now, carried)
        return [toast(tapped), replace(tapped, *page)]
    await _wait_for_day(state, choice.topic, carried)
    if isinstance(picked, int):
        return [toast(tapped), replace(tapped, *ask_month(choice.topic, picked))]
    return [toast(tapped), replace(tapped, *ask_number(choice.topic, picked.year, picked.month))]


def _picked(value: str) -> date | OnlyMonth | int | None:
    """What a button carries, if it is one of ours."""
    if value.isascii() and value.isdecimal() and len(value) == 4:
        return int(value) if 1900 <= int(value) <= 2199 else None
    found = read_day(value, date.min.replace(year=2000), behind=False)
    return found if isinstance(found, date | OnlyMonth) else None


@router.message(StateFilter(Telling.topic_day), F.text, ~F.text.startswith("/"))
async def tell_day(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    """A day in words. What cannot be read is asked for once more; then, and at once if it is
    plainly about something else, it goes to the liaison, and the question ends.
    """
    text = message.text or ""
    if looks_like_day(text) or read_day(text, today_of(who, now), behind=False):
        return await _take_written(message, tx, who, state, now)
    if is_something_else(text):
        await state.clear()
        return await pass_on(message, tx, who, now)
    return await _take_written(message, tx, who, state, now)


class Correction(Filter):
    """A day on its own, soon after one was kept; the answer to somebody's message is for them."""

    async def __call__(self, message: Message, who: Who, state: FSMContext, now: datetime) -> bool:
        if message.text is None or message.reply_to_message is not None:
            return False
        data = await state.get_data()
        if "until" not in data or _is_over(data, now):
            return False
        return read_day(message.text, today_of(who, now), behind=False) is not None


@router.message(StateFilter(None), F.text, Correction())
async def correct_day(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    return await _take_written(message, tx, who, state, now, corrects=True)


async def _take_written(
    message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime, *, corrects: bool = False
) -> Says:
    """Take the day, or ask for what is missing of it.

    It ``corrects`` only what is still chosen: else it is about something else, as it would be for
    a topic that is offered no more.
    """
    choice = await _dated(tx, who, int((await state.get_data()).get("topic", 0)), now)
    if choice is None or (corrects and not choice.chosen):
        await state.clear()
        return await pass_on(message, tx, who, now)
    topic, today = choice.topic, today_of(who, now)
    carried = await _carried(state, choice, now)
    found = read_day(message.text or "", today, behind=lies_behind(topic.asks or ""))
    if found is None and _UNREAD in await state.get_data():
        await state.clear()
        return await pass_on(message, tx, who, now)
    await record_heard(tx, who, now, kind="message", outcome="reminders")
    if isinstance(found, date):
        return say(message.chat.id, *await _keep(tx, who, choice, found, state, now, carried))
    await _wait_for_day(state, topic, carried)
    if isinstance(found, OnlyMonth):
        return say(message.chat.id, *ask_number(topic, found.year, found.month))
    if isinstance(found, NoSuchDay):
        return say(message.chat.id, *ask_year(topic, today, no_such_day(found)))
    await state.update_data({_UNREAD: True})
    unread = "\n".join([_("I couldn't tell the day from that."), or_once_more()])
    return say(message.chat.id, *ask_year(topic, today, unread))


@router.callback_query(TopicTap.filter(F.act == "often"))
async def tap_often(
    tapped: CallbackQuery, callback_data: TopicTap, tx: Tx, who: Who, now: datetime
) -> Says:
    choice = await _dated(tx, who, callback_data.topic_id, now)
    if choice is None or choice.day is None:
        return no_more(tapped)
    note = _("“{topic}”: how often does it come again?").format(topic=name_of(choice.topic))
    return [toast(tapped), replace(tapped, *ask_often(choice.topic, choice.day, note))]


@router.callback_query(TopicTap.filter(F.act == "every"))
async def tap_every(
    tapped: CallbackQuery,
    callback_data: TopicTap,
    tx: Tx,
    who: Who,
    state: FSMContext,
    now: datetime,
) -> Says:
    """How often the date comes again; a date that is over may have its next time by that."""
    choice = await _dated(tx, who, callback_data.topic_id, now)
    months, _dot, written = callback_data.value.partition(".")
    day = _picked(written)
    offered = {"0": None} | {str(every): every for every in EVERY}
    if choice is None or not isinstance(day, date) or months not in offered:
        return no_more(tapped)
    carried = Carried(offered[months], (await _carried(state, choice, now)).new)
    page = await _keep(tx, who, choice, day, state, now, carried)
    return [toast(tapped), replace(tapped, *page)]


async def _dated(tx: Tx, who: Who, topic_id: int, now: datetime) -> Choice | None:
    choice = await choice_of(tx, who, topic_id, now)
    return choice if choice is not None and choice.topic.asks is not None else None


async def _keep(
    tx: Tx,
    who: Who,
    choice: Choice,
    day: date,
    state: FSMContext,
    now: datetime,
    carried: Carried,
) -> Page:
    """Take the day, or say why it cannot be one, and what to do."""
    topic, today = choice.topic, today_of(who, now)
    try:
        await subscribe(tx, who, topic, now, day=day, every_months=carried.every)
    except BadDay as bad:
        if bad.why == "past":
            said = _("{day} is over. If it comes again, how often? Or write the next day.")
            await _wait_for_day(state, topic, carried)
            return ask_often(topic, day, said.format(day=day_words(day)))
        said = (
            _("{day} is still to come. When was it last?")
            if bad.why == "ahead"
            else _("{day} is too far away.")
        )
        await _wait_for_day(state, topic, carried)
        return ask_year(topic, today, said.format(day=day_words(day)))
    await _may_be_corrected(state, topic, carried, now)
    on = await choice_of(tx, who, topic.id, now)
    assert on is not None  # it was there above, in the same transaction
    offers = [button(_("Undo"), tap("off", topic.id))] if carried.new else []
    if carried.every is None and not lies_behind(topic.asks or ""):
        offers.append(button(_("It comes again"), tap("often", topic.id)))
    return changed_page(subscribed_words(on, today), *offers)
