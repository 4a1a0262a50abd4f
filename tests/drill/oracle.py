"""What the server accepted against what the database says: nothing lost, nothing doubled."""

import asyncio
import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from storage.models import Account, Broadcast, Contact, Delivery, Intake
from storage.outbox.messages import NEVER_TWICE
from storage.outbox.past import EVERY_DELIVERY
from tests.botapi.log import Call
from tests.drill.crowd import TOKEN, Crowd
from tests.drill.ground import Grounds
from tests.drill.promise import Promise, at_most, none_of, told

_CHECKIN = re.compile(r"ci:(\d+):")
Key = tuple[int, str]
"""A chat, and what it was sent: ``B1`` a broadcast, ``c17`` a check-in, ``Q3``, ``A3`` a case."""


@dataclass
class Oracle:
    """``caught``: the messages that kills caught in flight, by id and attempt."""

    grounds: Grounds
    crowd: Crowd | None = None
    caught: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)

    async def note_caught(self) -> None:
        """Right after a kill: what was on its way."""
        columns = (Delivery.id, Delivery.attempts, Delivery.person_id, Delivery.template)
        async with self.grounds.db.read() as tx:
            for row in await tx.execute(select(*columns).where(Delivery.state == "sending")):
                self.caught[row.id, row.attempts] = (row.person_id, row.template)

    async def let_leases_end(self) -> None:
        """As if some minutes had passed: on PostgreSQL another process might still be at work."""
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with self.grounds.db.write() as tx:
            await tx.execute(
                update(Delivery).where(Delivery.state == "sending").values(lease_until=past)
            )
            await tx.execute(update(Intake).values(leased_until=past))

    async def settle(self, patience: float = 600.0) -> float:
        """Wait until nothing is on its way any more; the seconds. What still is shows later."""
        began = time.monotonic()
        while time.monotonic() < began + patience:
            pending = self.grounds.bot.updates.pending
            owed = self.crowd is not None and self.crowd.unanswered()
            if not pending and not owed and await self.waiting() == 0:
                break
            await asyncio.sleep(0.3)
        return time.monotonic() - began

    async def waiting(self) -> int:
        """How many messages are not over yet."""
        async with self.grounds.db.read() as tx:
            unfinished = select(func.count()).where(Delivery.state.in_(("queued", "sending")))
            return int(await tx.scalar(unfinished))

    async def judge(self) -> list[Promise]:
        """All promises of design §3, each with what was found."""
        found = await self._rows()
        numbers = await self._numbers()
        accepted, lost_answers = self._accepted()
        return [
            *self._audience(found, numbers),
            *self._outcomes(found, numbers, accepted, lost_answers),
            *(await self._updates(accepted)),
        ]

    async def _rows(self) -> list[Any]:
        every = EVERY_DELIVERY.c
        wanted = (every.id, every.template, every.state, every.reason, every.person_id)
        about = (every.broadcast_id, every.checkin_id, Account.chat_id)
        async with self.grounds.db.read() as tx:
            rows = select(*wanted, *about).outerjoin(Account, Account.person_id == every.person_id)
            return list(await tx.execute(rows))

    async def _numbers(self) -> dict[int, str]:
        """The name of each broadcast, by its id: also of one whose command was not acknowledged."""
        async with self.grounds.db.read() as tx:
            found = await tx.execute(select(Broadcast.id, Broadcast.text))
        return {row.id: match[1] for row in found if (match := TOKEN.search(row.text))}

    def _accepted(self) -> tuple[Counter[Key], Counter[Key]]:
        """How often each chat got each thing; how often the bot was not told what came of it."""
        accepted: Counter[Key] = Counter()
        unheard: Counter[Key] = Counter()
        for call in self.grounds.api.log.of("sendMessage"):
            for name in names_of(call):
                key = (call.chat_id or 0, name)
                accepted[key] += call.effect
                unheard[key] += call.outcome in ("lost", "cut", "garbled", "pending")
        return accepted, unheard

    def _audience(self, found: list[Any], numbers: dict[int, str]) -> list[Promise]:
        reached: dict[int, Counter[int]] = defaultdict(Counter)
        for row in found:
            if row.broadcast_id is not None:
                reached[row.broadcast_id][row.person_id] += 1
        missing = [
            f"{name} has {len(reached[broadcast_id])} people"
            for broadcast_id, name in numbers.items()
            if len(reached[broadcast_id]) != len(self.grounds.people.phones)
        ]
        missing += [
            f"B{number} is not there"
            for number, broadcast_id in self.grounds.broadcasts.items()
            if broadcast_id and broadcast_id not in numbers
        ]
        stuck = [f"{r.template} {r.state}" for r in found if r.state in ("queued", "sending")]
        over = [row for row in found if row.state not in ("queued", "sending", "sent")]
        nameless = [f"{r.template} {r.state}" for r in over if not r.reason]
        ends = Counter(f"{row.template} {row.state}: {row.reason}" for row in over)
        return [
            none_of("broadcasts that miss someone of their audience", missing),
            none_of("messages that are still not over", stuck),
            none_of("messages that ended without a reason", nameless),
            told("messages in the outbox", len(found)),
            *(told(f"  {end}"[:60], count) for end, count in ends.most_common(8)),
        ]

    def _outcomes(
        self,
        found: list[Any],
        numbers: dict[int, str],
        accepted: Counter[Key],
        unheard: Counter[Key],
    ) -> list[Promise]:
        caught = Counter(self.caught.values())
        lost: list[str] = []
        too_often: list[str] = []
        for row in found:
            if row.broadcast_id is not None:
                name = numbers[row.broadcast_id]
            elif row.checkin_id is not None:
                name = f"c{row.checkin_id}"
            else:
                continue
            times = accepted[row.chat_id, name]
            if row.state == "sent" and times == 0:
                lost.append(f"{name} to {row.chat_id}")
            explained = caught[row.person_id, row.template] + unheard[row.chat_id, name]
            if row.template not in NEVER_TWICE and times > 1 + explained:
                too_often.append(f"{name} to {row.chat_id} {times} times")
        doubled = [f"{k[1]} to {k[0]}" for k, n in accepted.items() if k[1][0] == "B" and n > 1]
        unknown = sum(row.state == "unknown" for row in found)
        arrived = sum(
            row.state == "unknown" and accepted[row.chat_id, numbers.get(row.broadcast_id, "")] > 0
            for row in found
        )
        in_flight = sum(template in NEVER_TWICE for _, template in self.caught.values())
        unheard_of = sum(n for key, n in unheard.items() if key[1][0] == "B")
        again = sum(n - 1 for key, n in accepted.items() if key[1][0] == "c" and n > 1)
        return [
            none_of("messages said to be sent that never came out", lost),
            none_of("broadcasts that someone got twice", doubled),
            none_of("check-ins sent again without a kill or a lost answer", too_often),
            at_most(
                "broadcasts marked unknown, of those in flight", unknown, in_flight + unheard_of
            ),
            told("  of which the server had accepted", arrived),
            told("check-ins sent again", again),
        ]

    async def _updates(self, accepted: Counter[Key]) -> list[Promise]:
        if self.crowd is None:
            return []
        async with self.grounds.db.read() as tx:
            heard = await tx.execute(
                select(Account.chat_id, func.count(Contact.id).label("n"))
                .join(Contact, Contact.person_id == Account.person_id)
                .group_by(Account.chat_id)
            )
            contacts = {row.chat_id: row.n for row in heard}
            problems = await tx.execute(select(Intake.problem).where(Intake.problem.is_not(None)))
        acts = self.crowd.acts
        wrong = [f"{c}: {contacts.get(c, 0)} of {n}" for c, n in acts.items() if contacts[c] != n]
        liaison = self.grounds.people.liaison.user.id
        owed = {(liaison, name) for name in self.crowd.questions}
        owed |= {(chat, name) for name, chat in self.crowd.answers.items()}
        cases = {"case_new", "case_more", "help_urgent", "case_reply"}
        caught = sum(template in cases for _, template in self.caught.values())
        silent = [f"{name} to {chat}" for chat, name in owed if accepted[chat, name] == 0]
        again = sum(accepted[key] - 1 for key in owed if accepted[key] > 1)
        return [
            told("updates: taps, words, questions, answers", sum(acts.values()) + len(owed)),
            none_of("updates whose effect is missing or came twice", wrong),
            none_of("updates that could not be handled", problems.scalars()),
            none_of("replies missing in a conversation", self.crowd.unanswered()),
            none_of(
                "questions and answers that never came out",
                silent,
            ),
            at_most("questions and answers sent again, of those in flight", again, caught),
        ]


def names_of(call: Call) -> list[str]:
    """What a message is, if it was sent unasked: see :data:`Key`. Several may have left as one."""
    asked = {
        f"c{checkin[1]}": None
        for row in (call.params.get("reply_markup") or {}).get("inline_keyboard", ())
        for button in row
        if (checkin := _CHECKIN.match(button.get("callback_data", "")))
    }
    return [*TOKEN.findall(call.params.get("text", "")), *asked]
