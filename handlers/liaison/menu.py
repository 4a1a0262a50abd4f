"""The officer's menu. The words "menu" and "back" are understood before any task is asked."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import KinTap
from handlers.keyboards import open_my_data, own_menu
from handlers.liaison.callbacks import TaskTap
from handlers.liaison.keyboards import button, task_button
from handlers.liaison.show import Page, show
from handlers.words import Said
from storage.people.who import Who

router = Router(name="liaison.menu")


def officer_menu(who: Who) -> tuple[str, InlineKeyboardMarkup]:
    """The menu as text and keyboard; for a worker too, with a way to their own page."""
    rows = [
        [task_button("today", _("Today")), task_button("silent", _("Not heard from"))],
        [task_button("tasks", _("Tasks")), task_button("inbox", _("Inbox"))],
        [task_button("broadcast", _("Send a notice")), task_button("rollcall", _("Roll call"))],
        [task_button("invite", _("Invite people")), task_button("console", _("Console"))],
        [open_my_data()],
    ]
    if who.is_worker:
        rows.append([task_button("mine", _("My own page"))])
    if who.is_relative:
        rows.append([button(_("I've heard from my family"), KinTap(act="heard"))])
    text = (
        _("{name}, what shall we look at?").format(name=who.name)
        if who.name
        else _("What shall we look at?")
    )
    return text, InlineKeyboardMarkup(inline_keyboard=rows)


@router.message(Said(frozenset(), "Liaison's page"))
async def show_menu_for_label(message: Message, who: Who, state: FSMContext) -> Page:
    """The button on the own page of an officer who is a worker too."""
    await state.clear()
    return show(message, *officer_menu(who))


@router.callback_query(TaskTap.filter(F.task == "menu"))
async def show_menu(tap: CallbackQuery, who: Who) -> Page:
    return show(tap, *officer_menu(who))


@router.callback_query(TaskTap.filter(F.task == "mine"))
async def show_own_page(tap: CallbackQuery, who: Who) -> Page:
    if not who.is_worker:
        return show(tap, *officer_menu(who))
    return [
        AnswerCallbackQuery(callback_query_id=tap.id),
        SendMessage(
            chat_id=tap.from_user.id,
            text=_("This is your own page now."),
            reply_markup=own_menu(who),
        ),
    ]
