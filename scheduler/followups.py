"""The loop of escalation: what is due is loaded, decided one by one, and written in one go."""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from scheduler.escalation import (
    AskLiaison,
    AskRelative,
    End,
    Nudge,
    Policy,
    TellSupervisor,
    Unanswered,
    Wait,
    decide,
)
from storage.database import Database
from storage.family.asking import KinState, ask_families, kin_state
from storage.rhythm.followups import BATCH, Open, Taken, is_step_due, load_open, record_taken
from storage.rhythm.tasks import close_tasks
from storage.rules.kept import terms_at
from storage.rules.terms import CheckinTerms

_log = structlog.get_logger(__name__)
_MOST_BATCHES = 20


def policy_of(terms: CheckinTerms) -> Policy:
    """What a rule's terms say of silence."""
    return Policy(
        nudges=tuple(timedelta(hours=hours) for hours in terms.nudges),
        ask_relative=terms.then == "relative-first",
        ask_liaison=terms.then != "none",
        raise_after=None if terms.supervisor is None else timedelta(hours=terms.supervisor),
    )


def as_case(found: Open, kin: KinState | None) -> Unanswered:
    """What the decision rests on; ``kin`` is None for someone without family here."""
    return Unanswered(
        due_at=found.due_at,
        window_until=found.window_until,
        delivered_at=found.delivered_at,
        answered=found.answered_at is not None,
        heard_at=found.heard_at,
        reached_at=found.reached_at,
        expected=found.expected,
        reachable=found.reachable,
        nudged=found.stage,
        relative=kin is not None and kin.relative,
        relative_asked_at=None if kin is None else kin.asked_at,
        relative_said=None if kin is None else kin.said,
        task_at=found.task_at,
        raised=found.raised_at is not None,
    )


def take_steps(
    found: Open, kin: KinState | None, policy: Policy, now: datetime, taken: Taken
) -> None:
    """Add to ``taken`` what is to be done about one check-in now, and when to look again."""
    case, steps = as_case(found, kin), found.steps

    def step(kind: str) -> None:
        nonlocal steps
        steps += 1
        taken.steps.append(
            {
                "checkin_id": found.checkin_id,
                "person_id": found.person_id,
                "n": steps,
                "kind": kind,
                "outcome": "done",
                "reason": None,
                "at": now,
            }
        )

    while True:
        match decide(case, now, policy):
            case Wait(until):
                taken.looks.append((found.checkin_id, case.nudged, until))
                return
            case End():
                taken.looks.append((found.checkin_id, case.nudged, None))
                return
            case Nudge(n):
                step("nudge")
                expires_at = found.window_until
                taken.nudges.append((found.checkin_id, found.person_id, n, expires_at))
                case = replace(case, nudged=n)
            case AskRelative():
                step("relative")
                taken.asks.append(found.checkin_id)
                case = replace(case, relative_asked_at=now)
            case AskLiaison(why):
                step("liaison")
                raise_at = None if policy.raise_after is None else now + policy.raise_after
                taken.tasks.append((found, why, raise_at))
                if found.other_task:
                    # That one stays as it is, and is raised in its own time.
                    taken.looks.append((found.checkin_id, case.nudged, None))
                    return
                case = replace(case, task_at=now)
            case TellSupervisor():
                step("supervisor")
                taken.raised.append(found.checkin_id)
                case = replace(case, raised=True)


async def follow_up(db: Database, now: datetime) -> int:
    """Take every step that is due; how many check-ins were looked at.

    Twice, late, or in two processes at once nothing is done twice: each batch is locked, decided
    and written in one transaction.
    """
    looked = 0
    for _ in range(_MOST_BATCHES):
        async with db.read() as tx:
            if not await is_step_due(tx, now):
                return looked
        async with db.write() as tx:
            found = await load_open(tx, now)
            terms = await terms_at(tx, sorted({(it.rule_id, it.version) for it in found}))
            family = await kin_state(tx, [it.checkin_id for it in found])
            taken = Taken()
            for it in found:
                said = terms.get((it.rule_id, it.version))
                if isinstance(said, CheckinTerms):
                    take_steps(it, family.get(it.checkin_id), policy_of(said), now, taken)
                else:
                    _log.error(
                        "a check-in's rule cannot be read as it was: nothing follows its silence",
                        checkin=it.checkin_id,
                        rule=it.rule_id,
                        version=it.version,
                    )
                    taken.looks.append((it.checkin_id, it.stage, None))
            await record_taken(tx, taken, now)
            await ask_families(tx, taken.asks, now)
        looked += len(found)
        if len(found) < BATCH:
            break
    return looked


async def end_tasks(db: Database, now: datetime) -> int:
    """Close what there is word of by now."""
    async with db.write() as tx:
        return await close_tasks(tx, now)
