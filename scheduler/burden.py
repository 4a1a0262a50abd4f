"""The burden at the moment of leaving: who can bear one more message, and what goes along."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from scheduler.budget import waits_until
from scheduler.leaving import Hold
from storage.database import Tx
from storage.outbox.burden import (
    ASKS,
    COUNTED,
    JOINED,
    USED_UP,
    WEEK,
    Burden,
    Waiting,
    claim_company,
    load_burdens,
)
from storage.outbox.claims import Claimed, load_claimed

TOGETHER: Final = timedelta(minutes=15)
"""What is due this soon falls together with what leaves now: check-ins have whole quarters."""
_A_MOMENT: Final = timedelta(seconds=5)
"""Until what is on its way has arrived or not."""
_STEP_BACK: Final = timedelta(seconds=1)


def counts(message: Claimed) -> bool:
    """Whether it weighs on the week's budget."""
    return message.template in COUNTED and not message.urgent


def may_join(message: Claimed) -> bool:
    """Whether it may leave as one message with others."""
    return message.template in JOINED and not message.urgent


def bear(burden: Burden, templates: Collection[str], now: datetime, left: int = 0) -> Hold | None:
    """Why one more message of these templates has to wait, and until when; ``None``: it may leave.

    ``left`` have left just now. What is on its way, and may yet come back, is waited for.
    """
    asks = any(template in ASKS for template in templates)
    sure = burden.times + [now] * left
    until = waits_until(sure, now, burden.budget, asks=asks)
    if until is not None:
        return Hold(until, USED_UP)
    if burden.in_flight:
        perhaps = sure + [now] * burden.in_flight
        if waits_until(perhaps, now, burden.budget, asks=asks) is not None:
            return Hold(now + _A_MOMENT, "others came first")
    return None


@dataclass(slots=True)
class Weighed:
    """``burdens``: of those who may have to wait, or have company. ``held``: claimed messages that
    have to wait, by id. ``company``: what was taken, too,
    because it falls together with a claimed message, and how it waited."""

    burdens: dict[int, Burden] = field(default_factory=dict)
    held: dict[int, Hold] = field(default_factory=dict)
    company: list[tuple[Claimed, Waiting]] = field(default_factory=list)


async def weigh(
    tx: Tx, going: Sequence[Claimed], now: datetime, running: Collection[int]
) -> Weighed:
    """Look at the budgets of those whom ``going`` are for, in one statement or two.

    Two more where company is found: of one person, few are waiting at once.
    """
    weighed = Weighed()
    of_person: dict[int, list[Claimed]] = {}
    for message in going:
        if counts(message):
            of_person.setdefault(message.person_id, []).append(message)
    if not of_person:
        return weighed
    ids = [message.id for those in of_person.values() for message in those]
    weighed.burdens = await load_burdens(tx, of_person, ids, now - WEEK, now + TOGETHER)
    wanted: dict[int, Waiting] = {}
    for person, burden in weighed.burdens.items():
        those = of_person[person]
        hold = bear(burden, [message.template for message in those], now)
        if hold is not None:
            weighed.held.update({message.id: hold for message in those})
        else:
            wanted.update({waiting.id: waiting for waiting in burden.waiting})
    if wanted:
        taken = await claim_company(tx, wanted, ids[0])
        company = await load_claimed(tx, taken, running) if taken else []
        weighed.company = [(message, wanted[message.id]) for message in company]
        _step_back(weighed, of_person, wanted.keys() - taken, now)
    return weighed


def _step_back(
    weighed: Weighed,
    of_person: dict[int, list[Claimed]],
    missed: Collection[int],
    now: datetime,
) -> None:
    """Let another process go first that is just now taking a message for the same person.

    Neither sees what the other has not committed: together they might say more than is borne.
    """
    if not missed:
        return
    for person, burden in weighed.burdens.items():
        if any(waiting.id in missed for waiting in burden.waiting):
            # Not both at the same moment again.
            those = of_person[person]
            apart = timedelta(milliseconds=those[0].id % 10 * 100)
            hold = Hold(now + _STEP_BACK + apart, "others came first")
            weighed.held.update({message.id: hold for message in those})
