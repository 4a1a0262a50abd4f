"""Topics as officers look at them and change them: who may, and which rules remind of each."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import exists, literal, select

from storage.database import Tx
from storage.models import Area, Role, Rule
from storage.reminders.reading import topic_table
from storage.reminders.topics import TopicTerms
from storage.rules.editing import MAY_EDIT, speaks_for
from storage.rules.table import from_json
from storage.rules.terms import ReminderTerms

_MOST_RULES: Final = 2000


@dataclass(frozen=True, slots=True)
class TopicRule:
    """A rule that reminds of a topic."""

    id: int
    terms: ReminderTerms
    area_name: str
    stopped_at: datetime | None


async def may_edit_topics(tx: Tx, officer_id: int) -> bool:
    """Whether a supervisor or an admin of an area at the top: topics are of no area, but of all."""
    return bool(
        await tx.scalar(
            select(
                exists(
                    select(literal(1))
                    .select_from(Role)
                    .join(Area, Area.id == Role.area_id)
                    .where(
                        Role.person_id == officer_id,
                        Role.until.is_(None),
                        Role.role.in_(MAY_EDIT),
                        Area.parent_id.is_(None),
                    )
                )
            )
        )
    )


async def rules_by_topic(
    tx: Tx, officer_id: int, *, stopped: bool = False
) -> Mapping[str, Sequence[TopicRule]]:
    """By a topic's code the running rules that the officer may look at; with ``stopped`` those too,
    the newest first.
    """
    found = (
        select(Rule.id, Rule.terms, Rule.stopped_at, Area.name)
        .join(Area, Area.id == Rule.area_id)
        .where(Rule.kind == "reminder", speaks_for(officer_id))
        .order_by(Rule.stopped_at.is_not(None), Rule.id.desc() if stopped else Rule.id)
        .limit(_MOST_RULES)
    )
    if not stopped:
        found = found.where(Rule.stopped_at.is_(None))
    rules: defaultdict[str, list[TopicRule]] = defaultdict(list)
    for row in await tx.execute(found):
        terms = from_json(row.terms)
        assert isinstance(terms, ReminderTerms)  # the kind says so
        rules[terms.topic].append(TopicRule(row.id, terms, row.name, row.stopped_at))
    return rules


def version_of(terms: TopicTerms) -> str:
    """A short mark of what a topic says now; it differs once somebody changed it."""
    words = json.dumps(topic_table(terms), sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()[:16]
