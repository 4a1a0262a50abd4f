"""How many people a rule speaks to, as they are now."""

from typing import Final

from sqlalchemy import func, select

from storage.database import Tx
from storage.models import Area, Person, Subscription, Topic
from storage.people.areas import AreaInfo, in_subtree
from storage.rhythm.checkins import is_expected
from storage.rules.kept import RuleInfo, governed
from storage.rules.terms import ReminderTerms

FEW: Final = 5
"""Of fewer people officers are not told how many chose to be reminded: it would say who."""


def may_tell(rule: RuleInfo, people: int) -> bool:
    """Whether officers may be told that a rule goes to so many."""
    return people >= FEW or not isinstance(rule.terms, ReminderTerms)


async def count_reached(tx: Tx, rule: RuleInfo, *, within: AreaInfo | None = None) -> int:
    """Workers it asks, or who subscribe to what it reminds of, less those a nearer rule asks.

    ``within``: only those of this area's subtree. The rule need not be kept yet: only its area,
    kind and code are looked at.
    """
    people = (
        select(func.count())
        .select_from(Person)
        .join(Area, Area.id == Person.area_id)
        .where(governed(rule), is_expected())
    )
    if within is not None:
        people = people.where(in_subtree(Area.path, within.path))
    if isinstance(rule.terms, ReminderTerms):
        people = people.where(
            Person.id.in_(
                select(Subscription.person_id)
                .join(Topic, Topic.id == Subscription.topic_id)
                .where(Topic.code == rule.terms.topic, Subscription.ended_at.is_(None))
            )
        )
    return await tx.scalar(people) or 0
