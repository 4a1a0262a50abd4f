"""Preparing: what was claimed is parted into what leaves now and what does not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.attempts import later
from scheduler.burden import Weighed, bear, counts, may_join, weigh
from scheduler.joining import join, place_of
from scheduler.leaving import Drop, Go, Hold, check_leave
from scheduler.letters import Letter, Ready, Render, Withheld
from scheduler.pace import Lane
from scheduler.sending import Leaving
from storage.database import Tx
from storage.outbox.burden import ASKS, Burden, Waiting
from storage.outbox.claims import Claimed
from storage.outbox.outcomes import Outcome


@dataclass(slots=True)
class Prepared:
    """``leaving``: letters, in the order in which they leave. ``kept``: the rest, as outcomes.

    ``company``: how messages waited that were taken before their time, to leave with another.
    ``others``: the messages that leave as one with a message, by its id.
    """

    leaving: list[Leaving] = field(default_factory=list)
    kept: list[tuple[Claimed, Outcome]] = field(default_factory=list)
    company: dict[int, Waiting] = field(default_factory=dict)
    others: dict[int, Sequence[Claimed]] = field(default_factory=dict)

    def keep(self, message: Claimed, outcome: Outcome) -> None:
        """What becomes of a message that does not leave, and of those that were to go with it."""
        self.kept.append((message, self._as_it_waited(message, outcome)))
        for other in self.others.pop(message.id, ()):
            same = outcome._replace(
                id=other.id, attempts=other.attempts, checkin_id=other.checkin_id
            )
            self.kept.append((other, self._as_it_waited(other, same)))

    def _as_it_waited(self, message: Claimed, outcome: Outcome) -> Outcome:
        """What is queued again before its time is queued for that time."""
        waiting = self.company.get(message.id)
        if waiting is None or outcome.state != "queued" or outcome.not_before is None:
            return outcome
        if outcome.not_before >= waiting.not_before:
            return outcome
        return outcome._replace(not_before=waiting.not_before, reason=message.waited)


async def prepare(
    tx: Tx,
    claimed: Sequence[Claimed],
    now: datetime,
    seconds: float,
    lanes: Mapping[int, Lane],
    render: Render,
) -> Prepared:
    """Look again at each message, and write the letters of those that may leave.

    ``now`` and ``seconds`` are the same instant on the two clocks.
    """
    prepared = Prepared()
    looked = [it for it in (_look(prepared, message, now) for message in claimed) if it is not None]
    running = [bot_id for bot_id, lane in lanes.items() if lane.stopped is None]
    weighed = await weigh(tx, [it.message for it in looked], now, running)
    ready = _go_along(prepared, looked, weighed, now)
    written = await render(tx, ready) if ready else {}
    for message, others, letter in _in_their_turn(prepared, ready, written, weighed, now):
        to = message.to
        assert to is not None  # check_leave dropped those without
        if others:
            prepared.others[message.id] = others
        lane, amount = lanes[to.bot_id], len(letter.parts)
        if (wait := lane.chat_wait(seconds, to.chat_id, amount)) > 0:
            until = now + timedelta(seconds=wait)
            prepared.keep(message, later(message, until, "others came first"))
            continue
        lane.chat_takes(seconds, to.chat_id, amount)
        prepared.leaving.append(Leaving(message, to, letter, seconds, others))
    return prepared


def _look(prepared: Prepared, message: Claimed, now: datetime) -> Ready | None:
    """The message, if it may leave; else what becomes of it is kept."""
    match check_leave(message, now):
        case Go(silent):
            if message.to is None or message.to.bot_id == message.lane:
                return Ready(message, silent)
            # Another account is the better one by now: it leaves through that lane.
            if message.id not in prepared.company:
                prepared.keep(message, later(message, now, None, lane=message.to.bot_id))
                return None
            return Ready(message, silent)
        case Hold(until, reason):
            prepared.keep(message, later(message, until, reason))
        case Drop(state, reason):
            prepared.keep(message, ended(message, state, reason))
    return None


def _go_along(
    prepared: Prepared, looked: Sequence[Ready], weighed: Weighed, now: datetime
) -> list[Ready]:
    """Those that the budgets let leave, and those that were taken to go along with them."""
    ready = []
    for it in looked:
        if (hold := weighed.held.get(it.message.id)) is None:
            ready.append(it)
        else:
            prepared.keep(it.message, later(it.message, hold.until, hold.reason))
    leads = {it.message.person_id: it for it in ready if counts(it.message)}
    for message, waiting in weighed.company:
        prepared.company[message.id] = waiting
        lead = leads.get(message.person_id)
        if lead is None or message.to != lead.message.to:
            prepared.keep(message, later(message, now, None))
        elif (one := _look(prepared, message, now)) is not None:
            ready.append(one)
    return ready


def _in_their_turn(
    prepared: Prepared,
    ready: Sequence[Ready],
    written: Mapping[int, Letter | Withheld],
    weighed: Weighed,
    now: datetime,
) -> Iterator[tuple[Claimed, Sequence[Claimed], Letter]]:
    """Each letter with the message it is of, and with the others that are in it."""
    together: dict[int, list[tuple[Claimed, Letter]]] = {}
    letters: list[tuple[Claimed, Letter]] = []
    for message in (it.message for it in ready):
        letter = written.get(message.id) or Withheld("failed", "nothing was written for it")
        if isinstance(letter, Withheld):
            prepared.keep(message, ended(message, letter.state, letter.reason))
            continue
        letters.append((message, letter))
        if may_join(message):
            together.setdefault(message.person_id, []).append((message, letter))
    for message, letter in letters:
        if not may_join(message):
            yield message, (), letter
        elif (those := together.pop(message.person_id, None)) is not None:
            burden = weighed.burdens.get(message.person_id)
            yield from _of_one_person(prepared, those, burden, now)


def _of_one_person(
    prepared: Prepared,
    those: list[tuple[Claimed, Letter]],
    burden: Burden | None,
    now: datetime,
) -> Iterator[tuple[Claimed, Sequence[Claimed], Letter]]:
    """As few messages as can be made of these, and no more than are borne."""
    left = 0
    early = {row for row, waiting in prepared.company.items() if waiting.not_before > now}
    rest = sorted(those, key=lambda it: (it[0].id in early, _lead(it[0])))
    while rest:
        (message, letter), *rest = rest
        if message.id in early:  # it was to go along, not by itself
            prepared.keep(message, later(message, now, None))
            continue
        # The first has been weighed, with all that may go along.
        hold = bear(burden, [message.template], now, left) if left and burden else None
        if hold is not None and counts(message):
            prepared.keep(message, later(message, hold.until, hold.reason))
            continue
        members, apart = [(message, letter)], []
        for other in rest:
            wider = sorted([*members, other], key=lambda it: place_of(it[0].template))
            if (whole := join([one for _, one in wider])) is None:
                apart.append(other)
            else:
                members, letter = wider, whole
        left += any(counts(one) for one, _ in members)
        rest = apart
        yield message, [one for one, _ in members if one is not message], letter


def _lead(message: Claimed) -> int:
    """What asks leads, as the budget keeps a place for it; nudges join, or come last."""
    return 0 if message.template in ASKS else 1 if counts(message) else 2


def ended(message: Claimed, state: str, reason: str) -> Outcome:
    return Outcome(message.id, message.attempts, state, reason, counted=False)
