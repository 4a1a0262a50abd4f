"""Methods that change a message already said."""

from collections.abc import Callable
from typing import Any, Final

from aiogram import Bot
from aiogram.methods import EditMessageCaption, EditMessageReplyMarkup, EditMessageText
from aiogram.types import InlineKeyboardMarkup

from bot.channels.web.buttons import fit_markup
from bot.channels.web.saying import caption_of, text_of
from bot.channels.web.texts import Unfit
from storage.talk.conversation import Body

_NOT_MODIFIED: Final = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
_BUTTONS: Final = ("inline",)
_WORDS: Final = ("text", "entities", "inline")
Change = Callable[[Body], Body]


def refuse_inline_message(method: Any) -> None:
    """Only messages of a conversation can be edited here."""
    if method.inline_message_id is not None:
        raise Unfit("inline_message_id is not supported by the web chat")
    if method.message_id is None:
        raise Unfit("message identifier is not specified")


def change_text(bot: Bot, method: EditMessageText) -> Change:
    """New words; without ``reply_markup`` the buttons go, as on Telegram."""
    if getattr(method, "rich_message", None) is not None:
        raise Unfit("rich_message is not supported by the web chat")
    content = text_of(bot, method) | _inline(method.reply_markup)

    def change(body: Body) -> Body:
        _check_own(body)
        if "file" in body or not body.get("text"):
            raise Unfit("there is no text in the message to edit")
        return _changed(body, _WORDS, content)

    return change


def change_caption(bot: Bot, method: EditMessageCaption) -> Change:
    content = caption_of(bot, method) | _inline(method.reply_markup)

    def change(body: Body) -> Body:
        _check_own(body)
        if "file" not in body:
            raise Unfit("there is no caption in the message to edit")
        return _changed(body, _WORDS, content)

    return change


def change_buttons(method: EditMessageReplyMarkup) -> Change:
    content = _inline(method.reply_markup)

    def change(body: Body) -> Body:
        _check_own(body)
        return _changed(body, _BUTTONS, content)

    return change


def _inline(markup: InlineKeyboardMarkup | None) -> Body:
    return fit_markup(markup)


def _check_own(body: Body) -> None:
    if body.get("me") or body.get("keyboard") or "force" in body:
        raise Unfit("message can't be edited")


def _changed(body: Body, parts: tuple[str, ...], content: Body) -> Body:
    before = {name: body[name] for name in parts if name in body}
    if before == content:
        raise Unfit(_NOT_MODIFIED)
    kept = {name: value for name, value in body.items() if name not in parts}
    return kept | content
