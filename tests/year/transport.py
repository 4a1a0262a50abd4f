"""The far end: a channel that takes what is sent, and remembers who got what and when."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from aiogram.exceptions import TelegramForbiddenError
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.abilities import Abilities
from handlers.outgoing import Renderer
from locales.catalogs import Catalogs
from scheduler.letters import Letter, Ready, Withheld
from scheduler.reasons import HEARD
from storage.database import Tx
from storage.rhythm.followups import heard_meanwhile
from tests.year.world import BOT, World

_MARK: Final = re.compile(r"⟦(\d+) (\w+) (\d+) (\d)⟧")


_NUDGES: Final = ("nudge", "nudge_again")
_PLAIN: Final = ("checkin", "broadcast", *_NUDGES)
_BUTTONS: Final = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="I'm fine", callback_data="fine")]]
)


class Left(NamedTuple):
    """What left at ``at`` (UTC) for someone; what left as one has the same ``message``."""

    at: datetime
    person_id: int
    template: str
    checkin_id: int
    urgent: bool
    message: int


class Marked:
    """The real renderer; each letter says in front which row of the outbox it is.

    ``bare``: questions, nudges and notices are nothing but that, which is most of a year's time;
    whether there was word meanwhile is looked at as the real one does.
    """

    def __init__(self, *, bare: bool) -> None:
        self._renderer = Renderer(Catalogs(), {BOT: Abilities()})
        self._bare = _PLAIN if bare else ()

    async def __call__(self, tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        worded = [ready for ready in batch if ready.message.template not in self._bare]
        written = await self._renderer(tx, worded) if worded else {}
        nudges = {it.message.checkin_id or 0 for it in batch if it.message.template in _NUDGES}
        heard = await heard_meanwhile(tx, nudges) if nudges and self._bare else ()
        for message in (ready.message for ready in batch):
            about = (message.person_id, message.template, message.checkin_id or 0)
            mark = f"⟦{' '.join(map(str, about))} {message.urgent:d}⟧"
            letter = written.get(message.id)
            if isinstance(letter, Letter):
                first, *more = letter.parts
                assert isinstance(first, SendMessage)
                first = first.model_copy(update={"text": mark + first.text})
                written[message.id] = letter._replace(parts=[first, *more])
            elif letter is None and message.checkin_id in heard:
                written[message.id] = Withheld("cancelled", HEARD)
            elif letter is None and message.to is not None:
                markup = None if message.template == "broadcast" else _BUTTONS
                bare = SendMessage(chat_id=message.to.chat_id, text=mark, reply_markup=markup)
                written[message.id] = Letter([bare], joins=3000)
        return written


class Taken:
    """What comes back for a message; of aiogram's it has what is looked at."""

    __slots__ = ("message_id",)

    def __init__(self, message_id: int) -> None:
        self.message_id = message_id


class Channel:
    """Stands where delivery expects a bot. Chats whose owner has blocked it refuse."""

    id = BOT

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self._world = world
        self._clock = clock
        self._number = 0
        self.fresh: list[Left] = []
        self.refused: list[Left] = []

    async def __call__(self, method: SendMessage, request_timeout: int | None = None) -> Any:
        self._number += 1
        for person, template, checkin, urgent in _MARK.findall(method.text):
            left = Left(
                self._clock(), int(person), template, int(checkin), urgent == "1", self._number
            )
            worker = self._world.by_id.get(left.person_id)
            if worker is not None and (worker.blocked or worker.erased):
                self.refused.append(left)
                raise TelegramForbiddenError(method, "Forbidden: bot was blocked by the user")
            self.fresh.append(left)
        return Taken(self._number)
