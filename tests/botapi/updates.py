"""The updates that wait for a bot, and the long poll that fetches them."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable

from .changes import Changes
from .errors import ApiError, Json, bad_request, conflict

# What a bot gets only if it asks for it by name.
_ON_REQUEST = {"chat_member", "message_reaction", "message_reaction_count"}
KINDS = {
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection",
    "business_message", "edited_business_message", "deleted_business_messages", "guest_message",
    "message_reaction", "message_reaction_count", "inline_query", "chosen_inline_result",
    "callback_query", "shipping_query", "pre_checkout_query", "purchased_paid_media", "poll",
    "poll_answer", "my_chat_member", "chat_member", "chat_join_request", "chat_boost",
    "removed_chat_boost", "managed_bot", "subscription", "stopped_message_generation",
}  # fmt: skip
_TAKEN_OVER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
MAX_TIMEOUT = 50  # seconds


class UpdateQueue:
    """Updates in order. They leave the queue only when they are confirmed."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.pending: dict[int, Json] = {}  # by update_id, oldest first
        self.next_id = random.randrange(100_000_000, 900_000_000)
        self.allowed: list[str] = []
        self.pushed = 0
        self.on_push: Callable[[Json], None] | None = None
        self._poll: asyncio.Future[None] | None = None

    def push(self, kind: str, payload: Json) -> None:
        """Queue one update of `kind`, if the bot wants that kind."""
        if self.wants(kind):
            self.push_raw({kind: payload})

    def push_raw(self, update: Json) -> None:
        """Queue any JSON as it is, under the next `update_id`: also what no bot can read."""
        number = self.next_id
        self.next_id += 1
        self.pending[number] = {"update_id": number, **update}
        self.pushed += 1
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        if self.on_push is not None:
            self.on_push(self.pending[number])
        self.changes.notify()

    @property
    def polled(self) -> bool:
        """Whether a long poll waits just now."""
        return self._poll is not None

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in _ON_REQUEST

    def allow(self, kinds: list[str] | None) -> None:
        """Take over `allowed_updates`; None leaves it as it was, [] is the default."""
        if kinds is None:
            return
        if unknown := set(kinds) - KINDS:
            raise bad_request(f"unknown update types {sorted(unknown)}")
        self.allowed = list(kinds)

    def confirm(self, offset: int) -> None:
        """Forget what lies before `offset`; below zero it counts from the end."""
        numbers = list(self.pending)
        if offset < 0:
            gone = numbers[:offset]
        else:
            gone = list(itertools.takewhile(lambda number: number < offset, numbers))
        for number in gone:
            del self.pending[number]

    def take_over(self, error: ApiError) -> None:
        """End the long poll that waits, if any, with 409."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(error)

    async def fetch(self, offset: int, limit: int, timeout: float) -> list[Json]:  # noqa: ASYNC109
        """Up to `limit` updates; waits up to `timeout` seconds for the first.

        Raises ApiError 409 in the poll that waits when another one begins.
        """
        self.take_over(conflict(_TAKEN_OVER))
        self.confirm(offset)
        if not self.pending and timeout > 0:
            self._poll = poll = asyncio.get_running_loop().create_future()
            self.changes.notify()
            try:
                async with asyncio.timeout(timeout):
                    await poll
            except TimeoutError:
                return []
            finally:
                if self._poll is poll:
                    self._poll = None
        return list(itertools.islice(self.pending.values(), limit))
