"""Relatives who are asked about nobody any more: what is held about them has no purpose left."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists, func, literal, select
from sqlalchemy.orm import aliased

from storage.database import Tx
from storage.models import Account, Case, Consent, Kin, Person
from storage.people.enrolment import RELATIVE

KEPT_FOR: Final = timedelta(days=7)
"""How long after their last tie ended: in this time they hear of it, and may be invited again."""
_LOOKED_BACK: Final = timedelta(days=60)


async def find_without_purpose(tx: Tx, now: datetime, limit: int) -> Sequence[tuple[int, str]]:
    """People who agreed to be asked as family and to nothing else, and whose last tie is over.

    With the channel they were reached by. Who still has a question open waits for its answer.
    """
    tie, other = aliased(Kin), aliased(Kin)
    channel = (
        select(Account.channel)
        .where(Account.person_id == Person.id)
        .order_by(Account.state_at.desc(), Account.id.desc())
        .limit(1)
        .correlate(Person)
        .scalar_subquery()
    )
    found = await tx.execute(
        select(Person.id, func.coalesce(channel, "web").label("channel"))
        .where(
            Person.id.in_(
                select(tie.relative_id).where(
                    tie.ended_at <= now - KEPT_FOR, tie.ended_at > now - _LOOKED_BACK
                )
            ),
            Person.erased_at.is_(None),
            Person.area_id.is_(None),
            Person.is_officer.is_(False),
            ~_any(other, other.relative_id == Person.id, other.ended_at.is_(None)),
            ~_any(other, other.relative_id == Person.id, other.ended_at > now - KEPT_FOR),
            ~_any(Consent, Consent.person_id == Person.id, Consent.purpose != RELATIVE),
            ~_any(Case, Case.person_id == Person.id, Case.state == "open"),
        )
        .order_by(Person.id)
        .limit(limit)
        .with_for_update(of=Person, skip_locked=True)
    )
    return [(row.id, row.channel) for row in found]


def _any(model: Any, *which: Any) -> Any:
    return exists(select(literal(1)).select_from(model).where(*which))
