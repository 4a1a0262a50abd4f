"""A person's side of a chat: what they do, and what they see."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from .callback import CallbackAnswer, Tap
from .errors import Json
from .message import Message
from .text import MAX_CAPTION, MAX_TEXT, clean, find, units

if TYPE_CHECKING:
    from .chat import Chat, PrivateChat
    from .user import User

T = TypeVar("T")

TIMEOUT = 20.0  # seconds to wait for a bot, unless the test says otherwise

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")
PIXEL = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\nIDATx\x9cc\0\x01\0\0\x05\0\x01\r\n-\xb4\0\0\0\0IEND\xaeB`\x82"
)


class Conversation:
    """One person in one chat. What the bot sent is heard in order, each message once."""

    def __init__(self, user: User, chat: Chat) -> None:
        self.user = user
        self.chat = chat
        self._heard = 0

    # What the person sees

    @property
    def messages(self) -> list[Message]:
        """Everything that stands in the chat, oldest first, edits applied."""
        return self.chat.messages()

    @property
    def last(self) -> Message:
        """The newest message of a bot. Raises LookupError if there is none."""
        for message in reversed(self.messages):
            if message.from_bot:
                return message
        raise LookupError("no bot has written here")

    @property
    def keyboard(self) -> list[list[str]] | None:
        """Rows of the reply keyboard's words, or None if the plain keyboard is shown."""
        return self.chat.keyboard

    async def heard(self, n: int = 1, timeout: float = TIMEOUT) -> list[Message]:  # noqa: ASYNC109
        """The next `n` messages of bots that no earlier `heard` returned.

        A message counts where it was sent; an edit makes no new one. Raises TimeoutError.
        """

        def look() -> list[Message] | None:
            new = [m for m in self._sent() if m.message_id > self._heard]
            return new[:n] if len(new) >= n else None

        if n == 0:
            return []
        found = await self._wait(look, timeout, f"{n} message(s) of the bot")
        self._heard = found[-1].message_id
        return found

    def skip(self) -> None:
        """Take everything sent so far as heard."""
        self._heard = max((m.message_id for m in self._sent()), default=0)

    async def wait_for(
        self,
        predicate: Callable[[Message], object],
        timeout: float = TIMEOUT,  # noqa: ASYNC109
    ) -> Message:
        """The newest bot message that fits, as soon as one does. Raises TimeoutError."""

        def look() -> Message | None:
            fitting = (m for m in reversed(self.messages) if m.from_bot and predicate(m))
            return next(fitting, None)

        return await self._wait(look, timeout, "a message that fits")

    async def wait_for_keyboard(self, timeout: float = TIMEOUT) -> list[list[str]]:  # noqa: ASYNC109
        """The reply keyboard, once one is shown."""
        return await self._wait(lambda: self.keyboard, timeout, "a reply keyboard")

    def _sent(self) -> list[Message]:
        return [message for message in self.chat.history.values() if message.from_bot]

    async def _wait(self, look: Callable[[], T | None], timeout: float, what: str) -> T:  # noqa: ASYNC109
        try:
            return await self.chat.changes.wait_for(look, timeout)
        except TimeoutError:
            shown = "\n  ".join(map(repr, self.messages[-8:]))
            raise TimeoutError(f"waited {timeout} s for {what}; shown:\n  {shown}") from None

    # What the person does

    async def write(self, text: str) -> Message:
        """Send text, or press a reply keyboard's button by its words.

        Raises ValueError for what a client does not send: nothing, or more than 4,096 UTF-16
        units.
        """
        return self._post(_said("text", text, MAX_TEXT, required=True))

    async def reply(self, message: Message, text: str) -> Message:
        """Answer one message with text."""
        quoted = {"reply_to_message": message.quoted()}
        return self._post({**_said("text", text, MAX_TEXT, required=True), **quoted})

    async def edit(self, message: Message, text: str) -> Message:
        """Change one's own text; the bot gets `edited_message`."""
        if message.sender is not self.user:
            raise ValueError("only one's own messages can be edited")
        said = _said("text", text, MAX_TEXT, required=True)
        message.raw.pop("entities", None)
        message.raw.update(said, edit_date=self.chat.server.unix_time())
        self.chat.hand_out("edited_message", message)
        self.chat.changes.notify()
        return message

    async def send_photo(self, data: bytes = PIXEL, caption: str = "") -> Message:
        """A photo; bots get one size of it."""
        file = self.chat.server.files.add(data, "photo", "jpg", "image/jpeg")
        size = {**file.json(), "width": 640, "height": 480}
        return self._post({"photo": [size], **_said("caption", caption, MAX_CAPTION)})

    async def send_voice(self, data: bytes = b"OggS", duration: int = 3) -> Message:
        """A voice message; `duration` in seconds."""
        file = self.chat.server.files.add(data, "voice", "oga", "audio/ogg")
        voice = {**file.json(), "duration": duration, "mime_type": file.mime}
        return self._post({"voice": voice})

    async def send_document(
        self, data: bytes, name: str = "file.txt", mime: str = "text/plain", caption: str = ""
    ) -> Message:
        """A file of any kind."""
        extension = name.rpartition(".")[2]
        file = self.chat.server.files.add(data, "documents", extension, mime)
        document = {**file.json(), "file_name": name, "mime_type": mime}
        return self._post({"document": document, **_said("caption", caption, MAX_CAPTION)})

    async def send_sticker(self, emoji: str = "👍") -> Message:
        """A still sticker."""
        file = self.chat.server.files.add(b"RIFF", "stickers", "webp", "image/webp")
        more = {"type": "regular", "is_animated": False, "is_video": False, "emoji": emoji}
        return self._post({"sticker": {**file.json(), "width": 512, "height": 512, **more}})

    async def send_location(self, latitude: float, longitude: float) -> Message:
        """A point, in degrees."""
        return self._post({"location": {"latitude": latitude, "longitude": longitude}})

    async def send_contact(
        self, phone_number: str, first_name: str | None = None, own: bool = True
    ) -> Message:
        """A phone number; `own=False` is someone else's, without a Telegram account."""
        contact: Json = {
            "phone_number": phone_number,
            "first_name": first_name or self.user.first_name,
        }
        if own:
            contact["user_id"] = self.user.id
        return self._post({"contact": contact})

    async def send_raw(self, content: Json) -> Message:
        """Any content of a Message, such as `{"dice": {"emoji": "🎲", "value": 4}}`."""
        return self._post(content)

    async def tap(
        self,
        message: Message,
        button: str,
        timeout: float = TIMEOUT,  # noqa: ASYNC109
    ) -> CallbackAnswer:
        """Tap an inline button, by its words or callback data, and wait for the answer.

        Raises LookupError if there is no such button, TimeoutError if the bot does not
        answer.
        """
        return await self.press(message, button).answered(timeout)

    def press(self, message: Message, button: str) -> Tap:
        """Tap without waiting; the answer is in `tap.answered()`."""
        found = message.button(button)
        if "callback_data" not in found:
            raise LookupError(f"{found['text']!r} does not call back: {found}")
        return self._call_back(message, found["callback_data"])

    def forge(self, message: Message, data: str) -> Tap:
        """What a changed client can do: any data, from a message that never offered it."""
        return self._call_back(message, data)

    def _call_back(self, message: Message, data: str) -> Tap:
        self._check_here()
        bot = self.chat.server.bots.get(message.sender.id)
        if bot is None or message.deleted:
            raise LookupError(f"no bot's message to tap: {message}")
        tap = self.chat.server.callbacks.open(self.user, message)
        bot.push(
            "callback_query",
            {
                "id": tap.id,
                "from": self.user.json(),
                "message": message.json(),
                "chat_instance": self.chat.instance,
                "data": data,
            },
        )
        return tap

    async def react(self, message: Message, emoji: str | None) -> None:
        """Set or take away one's reaction; bots that asked for it hear of it."""
        self._check_here()
        old = message.reactions.get(self.user.id, [])
        new = [] if emoji is None else [{"type": "emoji", "emoji": emoji}]
        message.reactions[self.user.id] = new
        update = {
            "chat": self.chat.json(),
            "message_id": message.message_id,
            "user": self.user.json(),
            "date": self.chat.server.unix_time(),
            "old_reaction": old,
            "new_reaction": new,
        }
        for bot in self.chat.readers(message):
            bot.push("message_reaction", update)

    def _post(self, content: Json) -> Message:
        self._check_here()
        return self.chat.post(self.user, content)

    def _check_here(self) -> None:
        """Raises RuntimeError if the person's client would not let them act here."""
        status = getattr(self.chat, "status", {self.user.id: "member"})
        if status.get(self.user.id, "left") in {"left", "kicked"}:
            raise RuntimeError(f"{self.user.first_name} is not in the group")
        if getattr(self.chat, "successor", None) is not None:
            raise RuntimeError("the group has become a supergroup")


class PrivateConversation(Conversation):
    """A person's private chat with one bot."""

    chat: PrivateChat

    async def start(self, payload: str = "") -> Message:
        """Press Start, or open a `?start=payload` link. Unblocks the bot, as clients do.

        Raises ValueError if `payload` is not 1–64 of `[A-Za-z0-9_-]`.
        """
        if payload and not _PAYLOAD.fullmatch(payload):
            raise ValueError(f"not a start parameter: {payload!r}")
        self.chat.set_blocked(False)
        return await self.write(f"/start {payload}".strip())

    async def block(self) -> None:
        """Block the bot: it hears `my_chat_member`, and 403 when it writes."""
        self.chat.set_blocked(True)

    async def unblock(self) -> None:
        self.chat.set_blocked(False)

    def _check_here(self) -> None:
        if self.chat.blocked:
            raise RuntimeError("the bot is blocked: unblock or start first")
        self.chat.started = True


def _said(key: str, text: str, limit: int, *, required: bool = False) -> Json:
    text, _ = clean(text, [])
    if not text and not required:
        return {}
    if not text or units(text) > limit:
        raise ValueError(f"a client sends 1–{limit} UTF-16 units, not {units(text)}")
    said: Json = {key: text}
    if entities := find(text, []):
        said["entities" if key == "text" else "caption_entities"] = entities
    return said
