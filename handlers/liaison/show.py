"""How a liaison's page is said: in place of the message that was tapped on, or as a new one."""

from typing import Any

from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage, TelegramMethod
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

Page = list[TelegramMethod[Any]]


def show(
    event: Message | CallbackQuery,
    text: str,
    keyboard: InlineKeyboardMarkup | None = None,
    note: str | None = None,
) -> Page:
    """The page as methods; ``note`` is the short line a tap may be answered with."""
    if isinstance(event, Message):
        return [SendMessage(chat_id=event.chat.id, text=text, reply_markup=keyboard)]
    answer = AnswerCallbackQuery(callback_query_id=event.id, text=note)
    shown = event.message
    # A picture has no text to edit, and what is too old cannot be seen at all.
    if not isinstance(shown, Message) or shown.text is None:
        return [answer, SendMessage(chat_id=event.from_user.id, text=text, reply_markup=keyboard)]
    if shown.text == text and shown.reply_markup == keyboard:
        return [answer]
    return [
        answer,
        EditMessageText(
            chat_id=shown.chat.id,
            message_id=shown.message_id,
            text=text,
            reply_markup=keyboard,
        ),
    ]


def remark(tap: CallbackQuery, note: str | None = None) -> Page:
    """Only the short line, or none; the page stays as it is."""
    return [AnswerCallbackQuery(callback_query_id=tap.id, text=note)]


def chat_of(event: Message | CallbackQuery) -> int:
    """The private chat the event came from."""
    return event.chat.id if isinstance(event, Message) else event.from_user.id
