"""Methods that change a message, and the answer to a tap."""

from __future__ import annotations

from .callback import CallbackAnswer
from .errors import Json, bad_request
from .keyboard import check_markup
from .message import Message
from .request import Handler, Request, access_chat, access_message, not_supported, read_text
from .text import MAX_CALLBACK_ANSWER, MAX_CAPTION, MAX_TEXT, units

_EMOJI = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔
🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊
🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡
"""
_REACTIONS = set(_EMOJI.split())


def edit_message_text(request: Request) -> Json:
    if request.get("rich_message"):
        raise not_supported('parameter "rich_message"')
    if not request.get("text"):
        raise bad_request("message text is empty")
    content = read_text(request, "text", MAX_TEXT)
    if not content:
        raise bad_request("text must be non-empty")
    if options := request.get("link_preview_options"):
        content["link_preview_options"] = options
    message = _editable(request)
    if "text" not in message.raw:
        raise bad_request("there is no text in the message to edit")
    return _change(request, message, ("text", "entities", "link_preview_options"), content)


def edit_message_caption(request: Request) -> Json:
    content = read_text(request, "caption", MAX_CAPTION)
    if request.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    message = _editable(request)
    if not {"photo", "document", "voice"} & message.raw.keys():
        raise bad_request("there is no caption in the message to edit")
    keys = ("caption", "caption_entities", "show_caption_above_media")
    return _change(request, message, keys, content)


def edit_message_reply_markup(request: Request) -> Json:
    return _change(request, _editable(request), (), {})


def delete_message(request: Request) -> bool:
    chat = access_chat(request)
    message = access_message(request, "to delete", chat)
    chat.check_write(request.bot)
    status = getattr(chat, "status", {}).get(request.bot.id, "administrator")
    if message.sender is not request.bot and status != "administrator":
        raise bad_request("message can't be deleted")
    message.deleted = True
    chat.changes.notify()
    return True


def set_message_reaction(request: Request) -> bool:
    chat = access_chat(request)
    message = access_message(request, "to react", chat)
    chat.check_write(request.bot)
    reactions = request.get("reaction", [])
    if len(reactions) > 1 or any(r.get("emoji") not in _REACTIONS for r in reactions):
        raise bad_request("REACTION_INVALID")
    message.reactions[request.bot.id] = reactions
    chat.changes.notify()
    return True


def answer_callback_query(request: Request) -> bool:
    text = request.get("text", "")
    if units(text) > MAX_CALLBACK_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    if request.get("url"):
        raise not_supported('parameter "url" of answerCallbackQuery')
    answer = CallbackAnswer(
        text, request.get("show_alert", False), request.get("url"), request.get("cache_time", 0)
    )
    request.server.callbacks.close(request.get("callback_query_id"), request.bot, answer)
    return True


def _editable(request: Request) -> Message:
    request.check_supported("business_connection_id", "inline_message_id")
    if request.get("message_id") is None:
        raise bad_request("message identifier is not specified")
    check_markup(request.get("reply_markup"))
    chat = access_chat(request)
    message = access_message(request, "to edit", chat)
    chat.check_write(request.bot)
    if message.sender is not request.bot or message.locked:
        raise bad_request("message can't be edited")
    return message


def _change(request: Request, message: Message, keys: tuple[str, ...], content: Json) -> Json:
    """Replace `keys` by `content`; an edit without markup takes the buttons away."""
    markup = request.get("reply_markup") or {}
    if markup.get("inline_keyboard"):
        content["reply_markup"] = markup
    keys = (*keys, "reply_markup")
    if {key: message.raw[key] for key in keys if key in message.raw} == content:
        raise bad_request(
            "message is not modified: specified new message content and reply markup are "
            "exactly the same as a current content and reply markup of the message"
        )
    for key in keys:
        message.raw.pop(key, None)
    message.raw.update(content, edit_date=request.server.unix_time())
    message.chat.changes.notify()
    return message.json()


METHODS: dict[str, Handler] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "setMessageReaction": set_message_reaction,
    "answerCallbackQuery": answer_callback_query,
}
