"""My news: a status report without being asked."""

from datetime import datetime

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import NewsTap
from handlers.keyboards import news_choice, place_choice
from handlers.say import Says, clock_time, replace, say, toast
from handlers.words import Said
from handlers.worker.access import worker
from handlers.worker.place import ask_place
from handlers.worker.states import Telling
from storage.database import Tx
from storage.people.status import set_status
from storage.people.who import Who
from storage.register.contacts import record_heard

router = Router(name="news")
router.message.filter(worker)
router.callback_query.filter(worker)


@router.message(Said(frozenset({"我的近况", "近况", "news", "status"}), "My news"))
async def ask(message: Message, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await state.clear()
    await record_heard(tx, who, now, kind="message", outcome="menu")
    return say(message.chat.id, _("What's new with you?"), news_choice())


@router.callback_query(NewsTap.filter(F.status.in_({"away", "moving", "home"})))
async def tap_status(
    tap: CallbackQuery, callback_data: NewsTap, tx: Tx, who: Who, now: datetime
) -> Says:
    status = callback_data.status
    await set_status(tx, who, status, now)
    await record_heard(tx, who, now, kind="status", outcome=status)
    time = clock_time(now, who.timezone)
    said = {
        "away": _("Got it, {time}. Glad you're well."),
        "moving": _("Got it, {time}. Safe travels."),
        "home": _(
            "Got it, {time}. Have a good time at home; we won't ask until you're away again."
        ),
    }[status]
    return [toast(tap), replace(tap, said.format(time=time))]


@router.callback_query(NewsTap.filter(F.status == "place"))
async def tap_place(tap: CallbackQuery, tx: Tx, who: Who, state: FSMContext, now: datetime) -> Says:
    await record_heard(tx, who, now, kind="status", outcome="moved")
    await state.set_state(Telling.place)
    return [
        toast(tap),
        replace(tap, _("You've moved, then.")),
        say(tap.from_user.id, ask_place(), place_choice()),
    ]
