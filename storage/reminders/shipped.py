"""The starting set of topics and rules, made once, and never again what was changed since."""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any, Final

from sqlalchemy import Select, exists, literal, select

from storage.database import Tx
from storage.installation import find_value, put_value
from storage.models import Area, Rule, Topic
from storage.people.areas import get_area
from storage.reminders.topics import BadTopic, add_topic
from storage.rules.file import RuleSet, read_set
from storage.rules.kept import add_rule

SHIPPED: Final = "topics"
"""The key under which the installation notes which set it has."""
_VERSION: Final = "1"


@cache
def shipped_set() -> RuleSet:
    """The starting set; its rules are for any area at the top of the tree."""
    text = resources.files("storage.reminders").joinpath("shipped.toml").read_text("utf-8")
    return read_set(text, "any")


async def is_set_missing(tx: Tx) -> bool:
    """Whether a topic or an area's rules of the starting set were never made; two probes."""
    if await find_value(tx, SHIPPED) != _VERSION:
        return True
    return bool(await tx.scalar(select(exists(_bare_roots()))))


def _bare_roots() -> Select[Any]:
    """Areas at the top that never had a reminder rule."""
    return select(Area.id).where(
        Area.parent_id.is_(None),
        ~exists(select(literal(1)).where(Rule.area_id == Area.id, Rule.kind == "reminder")),
    )


async def ensure_set(tx: Tx, now: datetime) -> int:
    """Make what is missing of the starting set; how many topics and rules were made.

    Topics once for the installation, rules once for each area at the top of the tree that never
    had a reminder rule: what a supervisor edited or stopped stays as it is.
    """
    made = 0
    if await find_value(tx, SHIPPED) != _VERSION:
        known = set((await tx.execute(select(Topic.code))).scalars())
        for it in shipped_set().topics:
            if it.terms.code not in known:
                await add_topic(tx, it.terms, shipped=True)
                made += 1
        await put_value(tx, SHIPPED, _VERSION)
    for area_id in (await tx.execute(_bare_roots())).scalars().all():
        # Of two processes at once, the second waits here, and then sees the first one's rules.
        await tx.execute(select(Area.id).where(Area.id == area_id).with_for_update(key_share=True))
        if not await tx.scalar(select(exists(_bare_roots().where(Area.id == area_id)))):
            continue
        area = await get_area(tx, area_id)
        running = await tx.execute(
            select(Rule.code).where(Rule.area_id == area_id, Rule.stopped_at.is_(None))
        )
        taken = set(running.scalars())
        for rule in shipped_set().rules:
            if rule.terms.code in taken:
                continue
            try:
                await add_rule(tx, area, rule.terms, now)
            except BadTopic:  # a supervisor let the topic ask for another date, or for none
                continue
            made += 1
    return made
