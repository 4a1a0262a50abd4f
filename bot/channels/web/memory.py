"""Conversations with people not yet known: held in memory only, few, small and not for long."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from storage.talk.conversation import Body, Bubble, StoredFile

MAX_TALKS: Final = 5_000
MAX_BUBBLES: Final = 120
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_AGE: Final = timedelta(hours=24)
MAX_TAKEN: Final = 50_000


@dataclass(slots=True)
class Talk:
    """One conversation; ``since`` (UTC) tells it from others of the same chat.

    ``kept`` is the revision up to which the database has it, once it begins to be stored.
    """

    chat_id: int
    since: datetime
    used_at: datetime
    revision: int = 0
    last_message_id: int = 0
    bubbles: dict[int, Bubble] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    devices: set[str] = field(default_factory=set)
    size: int = 0
    counted: int = 0
    kept: int = 0

    def add(self, body: Body, at: datetime) -> Bubble:
        self.last_message_id += 1
        self.revision += 1
        bubble = Bubble(self.last_message_id, self.revision, at, body)
        self.bubbles[bubble.message_id] = bubble
        self.size += len(str(body))
        if len(self.bubbles) > MAX_BUBBLES:
            del self.bubbles[next(iter(self.bubbles))]
        return bubble

    def change(self, message_id: int, body: Body | None) -> Bubble:
        self.revision += 1
        bubble = Bubble(message_id, self.revision, self.bubbles[message_id].at, body)
        self.bubbles[message_id] = bubble
        return bubble

    def since_revision(self, revision: int) -> list[Bubble]:
        changed = [bubble for bubble in self.bubbles.values() if bubble.revision > revision]
        return sorted(changed, key=lambda bubble: bubble.revision)


class Memory:
    """Talks by chat, the least recently used forgotten first; and which browser was seen where.

    A browser seen here lately may be written to although nothing of it is stored: a visitor
    before consent, or someone who has just been erased and is owed a farewell.
    """

    def __init__(self) -> None:
        self._talks: OrderedDict[int, Talk] = OrderedDict()
        self._seen: OrderedDict[int, tuple[datetime, set[str]]] = OrderedDict()
        self._by_device: dict[str, int] = {}
        self._taken: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._talks)

    def see(self, chat_id: int, cookie_key: str, now: datetime) -> None:
        """Remember that this browser has the chat open."""
        _, devices = self._seen.get(chat_id, (now, set()))
        if len(devices) < 20:
            devices.add(cookie_key)
        self._seen[chat_id] = (now, devices)
        self._seen.move_to_end(chat_id)
        while len(self._seen) > MAX_TALKS * 2:
            self._seen.popitem(last=False)

    def devices_at(self, chat_id: int) -> set[str]:
        """The browsers that have the chat open, or had lately."""
        return set(self._seen[chat_id][1]) if chat_id in self._seen else set()

    def find(self, chat_id: int, now: datetime) -> Talk | None:
        talk = self._talks.get(chat_id)
        if talk is not None and talk.used_at < now - MAX_AGE:
            self.drop(chat_id)
            return None
        return talk

    def chat_of(self, cookie_key: str) -> int | None:
        """The chat whose talk this browser holds."""
        return self._by_device.get(cookie_key)

    def begin(self, chat_id: int, now: datetime) -> Talk | None:
        """The chat's talk, begun if need be; ``None`` when no browser was seen there."""
        talk = self.find(chat_id, now)
        if talk is not None:
            return talk
        if chat_id not in self._seen:
            return None
        talk = Talk(chat_id, now, now, devices=self.devices_at(chat_id))
        self._talks[chat_id] = talk
        for device in talk.devices:
            self._by_device[device] = chat_id
        return talk

    def take(self, chat_id: int, client_id: str) -> bool:
        """Whether the page's message is new; the intake remembers only those who are known."""
        if (chat_id, client_id) in self._taken:
            return False
        self._taken[chat_id, client_id] = None
        if len(self._taken) > MAX_TAKEN:
            self._taken.popitem(last=False)
        return True

    def give_back(self, chat_id: int, client_id: str) -> None:
        """The message was not taken in after all."""
        self._taken.pop((chat_id, client_id), None)

    def find_file(self, ref: str) -> StoredFile | None:
        return next((t.files[ref] for t in self._talks.values() if ref in t.files), None)

    def used(self, talk: Talk, now: datetime) -> None:
        """Count what the talk grew by, and make room if it is too much."""
        talk.used_at = now
        self._talks.move_to_end(talk.chat_id)
        self._size += talk.size - talk.counted
        talk.counted = talk.size
        while len(self._talks) > 1 and (
            len(self._talks) > MAX_TALKS or self._size > MAX_BYTES or self._oldest_is_old(now)
        ):
            self.drop(next(iter(self._talks)))

    def drop(self, chat_id: int) -> None:
        talk = self._talks.pop(chat_id, None)
        if talk is None:
            return
        self._size -= talk.counted
        for device in talk.devices:
            if self._by_device.get(device) == chat_id:
                del self._by_device[device]

    def forget_devices(self, cookie_keys: Iterable[str]) -> None:
        """These browsers hold another conversation now."""
        for key in cookie_keys:
            self._by_device.pop(key, None)
            for _, devices in self._seen.values():
                devices.discard(key)

    def _oldest_is_old(self, now: datetime) -> bool:
        return next(iter(self._talks.values())).used_at < now - MAX_AGE
