"""People who write, tap and ask while the drill goes on, and a liaison who answers."""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from handlers.callbacks import NewsTap
from tests.botapi import Message, PrivateConversation
from tests.drill.ground import Grounds

TOKEN = re.compile(r"〔([A-Z]\d+)〕")
_TAP = NewsTap(status="away").pack()


@dataclass
class Crowd:
    """What people did: for each chat how often, and what they must hear in answer.

    ``questions`` and ``answers`` hold the chat that each 〔Qn〕 came from, each 〔An〕 goes to.
    """

    grounds: Grounds
    talkers: list[PrivateConversation]
    acts: Counter[int] = field(default_factory=Counter)
    words: Counter[int] = field(default_factory=Counter)
    tapped: list[tuple[int, Message]] = field(default_factory=list)
    questions: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    _heard_of: int = 0

    async def act(self) -> None:
        """Someone does something: taps, says that all is well, or asks."""
        phone = self.grounds.chance.choice(self.talkers)
        chat_id = phone.user.id
        drawn = self.grounds.chance.random()
        if drawn < 0.45:
            self.tapped.append((chat_id, self.tap(phone)))
        else:
            self.words[chat_id] += 1
            text = "平安"
            if drawn > 0.98:
                # Few enough for the liaison's chat, which takes one message a second.
                name = f"Q{len(self.questions) + 1}"
                self.questions[name] = chat_id
                text = f"医保在哪里交？〔{name}〕"
            await phone.write(text)
        self.acts[chat_id] += 1
        await self.answer_one()

    def tap(self, phone: PrivateConversation) -> Message:
        """Tap a button that has long been there."""
        markup = {"inline_keyboard": [[{"text": "?", "callback_data": _TAP}]]}
        message = phone.chat.post(self.grounds.bot, {"text": "?"}, markup)
        phone.press(message, _TAP)
        return message

    async def answer_one(self) -> None:
        """The liaison answers the next question that has come in."""
        liaison = self.grounds.people.liaison
        told = [m for m in liaison.chat.history.values() if m.message_id > self._heard_of]
        for message in told:
            self._heard_of = message.message_id
            found = TOKEN.search(message.text)
            if not message.from_bot or found is None or found[1] not in self.questions:
                continue
            name = f"A{len(self.answers) + 1}"
            self.answers[name] = self.questions[found[1]]
            await liaison.reply(message, f"在镇上交。〔{name}〕")
            return

    def unanswered(self) -> list[str]:
        """Who still waits for a word that a conversation owes them."""
        waiting = [f"a tap in {chat}" for chat, message in self.tapped if not message.edited]
        for phone in self.talkers:
            said = [m for m in phone.chat.history.values() if m.from_bot and _is_reply(m)]
            if len(said) < self.words[phone.user.id]:
                waiting.append(f"words in {phone.user.id}")
        return waiting


def _is_reply(message: Message) -> bool:
    """Neither something that was sent unasked nor what :meth:`Crowd.tap` put there."""
    return not TOKEN.search(message.text) and not message.edited and not message.buttons


@contextlib.asynccontextmanager
async def crowd(grounds: Grounds, *, talkers: int, pause: float, most: int) -> AsyncIterator[Crowd]:
    """So many people, one of whom does something every ``pause`` seconds, ``most`` times in all."""
    phones = list(grounds.people.phones.values())[:talkers]
    gathered = Crowd(grounds, phones)

    async def go_on() -> None:
        for _ in range(most):
            await asyncio.sleep(pause * grounds.chance.uniform(0.5, 1.5))
            await gathered.act()

    task = asyncio.create_task(go_on())
    try:
        yield gathered
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
