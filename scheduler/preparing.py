"""Preparing: what was claimed is parted into what leaves now and what does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.attempts import later
from scheduler.leaving import Drop, Go, Hold, check_leave
from scheduler.letters import Ready, Render, Withheld
from scheduler.pace import Lane
from scheduler.sending import Leaving
from storage.database import Tx
from storage.outbox.claims import Claimed
from storage.outbox.outcomes import Outcome


@dataclass(slots=True)
class Prepared:
    """``leaving``: letters, in the order in which they leave. ``kept``: the rest, as outcomes."""

    leaving: list[Leaving] = field(default_factory=list)
    kept: list[tuple[Claimed, Outcome]] = field(default_factory=list)

    def keep(self, message: Claimed, outcome: Outcome) -> None:
        self.kept.append((message, outcome))


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
    ready: list[Ready] = []
    for message in claimed:
        match check_leave(message, now):
            case Go(silent):
                if message.to is not None and message.to.bot_id != message.lane:
                    # Another account is the better one by now: it leaves through that lane.
                    outcome = later(message, now, None, lane=message.to.bot_id)
                    prepared.keep(message, outcome)
                else:
                    ready.append(Ready(message, silent))
            case Hold(until, reason):
                prepared.keep(message, later(message, until, reason))
            case Drop(state, reason):
                prepared.keep(message, ended(message, state, reason))
    written = await render(tx, ready) if ready else {}
    for message in (it.message for it in ready):
        letter = written.get(message.id) or Withheld("failed", "nothing was written for it")
        if isinstance(letter, Withheld):
            prepared.keep(message, ended(message, letter.state, letter.reason))
            continue
        to = message.to
        assert to is not None  # check_leave dropped those without
        lane, amount = lanes[to.bot_id], len(letter.parts)
        if (wait := lane.chat_wait(seconds, to.chat_id, amount)) > 0:
            until = now + timedelta(seconds=wait)
            prepared.keep(message, later(message, until, "others came first"))
            continue
        lane.chat_takes(seconds, to.chat_id, amount)
        prepared.leaving.append(Leaving(message, to, letter, seconds))
    return prepared


def ended(message: Claimed, state: str, reason: str) -> Outcome:
    return Outcome(message.id, message.attempts, state, reason, counted=False)
