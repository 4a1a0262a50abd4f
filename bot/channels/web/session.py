"""The aiogram session that carries methods into the web chat's conversations."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, cast

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramNetworkError,
    TelegramServerError,
)
from aiogram.methods import (
    AnswerCallbackQuery,
    DeleteMessage,
    DeleteMyCommands,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    GetFile,
    GetMe,
    SendChatAction,
    SendDocument,
    SendMessage,
    SendPhoto,
    SendVoice,
    SetChatMenuButton,
    SetMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    TelegramMethod,
)
from aiogram.methods.base import TelegramType
from aiogram.types import File, Message, User
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.channels.web.bubbles import as_message
from bot.channels.web.conversations import Conversations, NoChat, NoMessage
from bot.channels.web.editing import (
    change_buttons,
    change_caption,
    change_text,
    refuse_inline_message,
)
from bot.channels.web.saying import Sending
from bot.channels.web.texts import MAX_TOAST, Unfit, units
from bot.channels.web.update import chat_of_query
from storage.talk.conversation import Body, Bubble

BOT_ID: Final = 1
TOKEN: Final = "1:web"  # noqa: S105  # a name that aiogram wants in this form; it opens nothing
# Addresses that are never asked: aiogram builds them, this session reads the file's name off.
_NOWHERE: Final = TelegramAPIServer("web:/{token}/{method}", "web:/{token}/{path}")
# What a Telegram client would do with these has no counterpart in a page, and loses nobody a word.
_WITHOUT_MEANING: Final = (
    SetMyCommands,
    DeleteMyCommands,
    SetMyDescription,
    SetMyShortDescription,
    SetChatMenuButton,
)


class WebSession(BaseSession):
    """Methods as effects on :class:`Conversations`; refusals as Telegram words them.

    What the web chat cannot carry is refused with ``TelegramBadRequest``, never dropped.
    """

    def __init__(self, conversations: Conversations, *, name: str = "Kinroom") -> None:
        super().__init__(api=_NOWHERE)
        self._conversations = conversations
        self._me = {"id": BOT_ID, "is_bot": True, "first_name": name, "username": "kinroom_web"}
        self._sending = Sending(conversations)
        self._effects: dict[type[Any], Callable[[Bot, Any], Awaitable[Any]]] = {
            SendMessage: self._send,
            SendPhoto: self._send,
            SendDocument: self._send,
            SendVoice: self._send,
            EditMessageText: self._edit,
            EditMessageCaption: self._edit,
            EditMessageReplyMarkup: self._edit,
            DeleteMessage: self._delete,
            SendChatAction: self._act,
            AnswerCallbackQuery: self._toast,
            GetMe: self._get_me,
            GetFile: self._get_file,
        }

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109  # aiogram's signature
    ) -> TelegramType:
        if isinstance(method, _WITHOUT_MEANING):
            return cast("TelegramType", True)
        try:
            effect = self._effects.get(type(method), _refuse)
            return cast("TelegramType", await effect(bot, method))
        except Unfit as unfit:
            raise TelegramBadRequest(method, f"Bad Request: {unfit}") from None
        except NoChat:
            raise TelegramBadRequest(method, "Bad Request: chat not found") from None
        except (DBAPIError, PoolTimeout, OSError) as away:
            if isinstance(away, DBAPIError) and away.statement is None:
                # The commit itself failed: it may have been written.
                raise TelegramNetworkError(method, "the commit was not confirmed") from away
            raise TelegramServerError(method, "the database cannot be reached") from away

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109  # aiogram's signature
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        ref = url.rpartition("/")[2]
        file = await self._conversations.find_file(ref)
        if file is None:
            raise TelegramBadRequest(
                GetFile(file_id=ref),
                "Bad Request: wrong file_id or the file is temporarily unavailable",
            )
        for start in range(0, len(file.content), chunk_size):
            yield file.content[start : start + chunk_size]

    async def close(self) -> None:
        """Nothing is held open."""

    async def _send(self, bot: Bot, method: Any) -> Message:
        chat_id = _chat_id(method)
        bubble = await self._sending.send(bot, method, chat_id)
        return self._message(bot, bubble, chat_id)

    async def _edit(self, bot: Bot, method: Any) -> Message:
        refuse_inline_message(method)
        change: Callable[[Body], Body]
        if isinstance(method, EditMessageText):
            change = change_text(bot, method)
        elif isinstance(method, EditMessageCaption):
            change = change_caption(bot, method)
        else:
            change = change_buttons(method)
        now = int(self._conversations.clock().timestamp())

        def stamped(body: Body) -> Body:
            return change(body) | {"edited": now}

        chat_id = _chat_id(method)
        try:
            bubble = await self._conversations.change(chat_id, method.message_id, stamped)
        except NoMessage:
            raise Unfit("message to edit not found") from None
        return self._message(bot, bubble, chat_id)

    async def _delete(self, _bot: Bot, method: DeleteMessage) -> bool:
        try:
            await self._conversations.change(_chat_id(method), method.message_id, lambda _: None)
        except NoMessage:
            raise Unfit("message to delete not found") from None
        return True

    async def _act(self, _bot: Bot, method: SendChatAction) -> bool:
        self._conversations.live.tell(_chat_id(method), "typing", {"action": method.action})
        return True

    async def _toast(self, _bot: Bot, method: AnswerCallbackQuery) -> bool:
        chat_id = chat_of_query(method.callback_query_id)
        if chat_id is None:
            raise Unfit("query is too old and response timeout expired or query ID is invalid")
        if method.url:
            raise Unfit("URL_INVALID")
        if units(method.text or "") > MAX_TOAST:
            raise Unfit("MESSAGE_TOO_LONG")
        if method.text:
            data = {"text": method.text, "alert": bool(method.show_alert)}
            self._conversations.live.tell(chat_id, "toast", data)
        return True

    async def _get_me(self, bot: Bot, _method: GetMe) -> User:
        return User.model_validate(self._me, context={"bot": bot})

    async def _get_file(self, bot: Bot, method: GetFile) -> File:
        file = await self._conversations.find_file(method.file_id)
        if file is None:
            raise Unfit("wrong file_id or the file is temporarily unavailable")
        found = {
            "file_id": file.ref,
            "file_unique_id": file.ref[:16],
            "file_size": len(file.content),
            "file_path": file.ref,
        }
        return File.model_validate(found, context={"bot": bot})

    def _message(self, bot: Bot, bubble: Bubble, chat_id: int) -> Message:
        return as_message(bot, bubble, chat_id, self._me)


async def _refuse(_bot: Bot, method: Any) -> Any:
    raise Unfit(f"{type(method).__name__} is not supported by the web chat")


def _chat_id(method: Any) -> int:
    if isinstance(method.chat_id, int) and method.chat_id > 0:
        return method.chat_id
    raise NoChat
