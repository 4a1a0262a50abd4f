"""Methods that put a message into a conversation."""

from typing import Any, Final

from aiogram import Bot
from aiogram.client.default import Default
from aiogram.methods import SendDocument, SendMessage, SendPhoto, SendVoice
from aiogram.types import InputFile, ReplyParameters

from bot.channels.web.bubbles import file_entry, quote
from bot.channels.web.buttons import fit_markup
from bot.channels.web.conversations import Conversations
from bot.channels.web.pictures import PICTURES, measure, tell_mime
from bot.channels.web.texts import MAX_CAPTION, MAX_TEXT, Unfit, fit_text
from storage.talk.conversation import Body, Bubble, StoredFile, new_file

MAX_FILE: Final = 20 * 1024 * 1024
_ELSEWHERE: Final = (
    "business_connection_id",
    "message_thread_id",
    "direct_messages_topic_id",
    "suggested_post_parameters",
    "ephemeral_message_parameters",
)
Send = SendMessage | SendPhoto | SendDocument | SendVoice


class Sending:
    """``send`` of a text, photo, document or voice note."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def send(self, bot: Bot, method: Send, chat_id: int) -> Bubble:
        """Raises :class:`Unfit`, ``NoChat``."""
        for name in _ELSEWHERE:
            if getattr(method, name, None) is not None:
                raise Unfit(f"{name} is not supported by the web chat")
        body: Body = {}
        files: list[StoredFile] = []
        if isinstance(method, SendMessage):
            body |= text_of(bot, method)
        else:
            body |= caption_of(bot, method)
            file = await self._file(bot, method, chat_id)
            files.append(file)
            body |= _shown(method, file)
        body |= fit_markup(method.reply_markup)
        body |= await self._reply(bot, method, chat_id)
        return await self._conversations.add(chat_id, body, files)

    async def _file(
        self, bot: Bot, method: SendPhoto | SendDocument | SendVoice, chat_id: int
    ) -> StoredFile:
        source: InputFile | str
        if isinstance(method, SendPhoto):
            source = method.photo
        else:
            source = method.document if isinstance(method, SendDocument) else method.voice
        if isinstance(source, str):
            # As on Telegram, a file the bot has seen may be sent on by its id; the copy belongs
            # to the conversation it goes to.
            known = await self._conversations.find_file(source)
            if known is None:
                raise Unfit("wrong file identifier/HTTP URL specified")
            return new_file(chat_id, known.name, known.mime, known.content)
        content = bytearray()
        async for chunk in source.read(bot):
            content += chunk
            if len(content) > MAX_FILE:
                raise Unfit("file is too big")
        if not content:
            raise Unfit("file must be non-empty")
        held = bytes(content)
        return new_file(chat_id, (source.filename or "")[:200], tell_mime(held), held)

    async def _reply(self, bot: Bot, method: Send, chat_id: int) -> Body:
        wanted = method.reply_parameters
        if wanted is None and method.reply_to_message_id is not None:
            wanted = ReplyParameters(message_id=method.reply_to_message_id)
        if wanted is None:
            return {}
        if wanted.message_id is not None and wanted.chat_id in {None, chat_id}:
            answered = await self._conversations.find(chat_id, wanted.message_id)
            if answered is not None:
                return {"reply": quote(answered)}
        if given(bot, wanted.allow_sending_without_reply):
            return {}
        raise Unfit("message to be replied not found")


def given(bot: Bot, value: Any) -> Any:
    """A parameter, or the bot's default where none was given."""
    return bot.default[value.name] if isinstance(value, Default) else value


def text_of(bot: Bot, method: Any) -> Body:
    """``{"text", "entities"?}`` of a method with a text."""
    _refuse_markup(bot, method)
    if not method.text:
        raise Unfit("message text is empty")
    body = fit_text(method.text, method.entities, MAX_TEXT, "message is too long")
    if not body["text"]:
        raise Unfit("text must be non-empty")
    return body


def caption_of(bot: Bot, method: Any) -> Body:
    """As :func:`text_of`, of a method with a caption, which may be empty."""
    _refuse_markup(bot, method)
    return fit_text(
        method.caption or "", method.caption_entities, MAX_CAPTION, "message caption is too long"
    )


def _refuse_markup(bot: Bot, method: Any) -> None:
    if given(bot, method.parse_mode) is not None:
        raise Unfit("can't parse entities: the web chat takes plain text with entities")


def _shown(method: SendPhoto | SendDocument | SendVoice, file: StoredFile) -> Body:
    if isinstance(method, SendPhoto):
        if file.mime not in PICTURES:
            raise Unfit("IMAGE_PROCESS_FAILED")
        width, height = measure(file.content)
        return {"kind": "photo", "file": file_entry(file, width=width, height=height)}
    if isinstance(method, SendVoice):
        seconds = method.duration
        length = int(getattr(seconds, "total_seconds", lambda: seconds or 0)())
        return {"kind": "voice", "file": file_entry(file, duration=length)}
    return {"kind": "document", "file": file_entry(file)}
