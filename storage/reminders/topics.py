"""Topics: the services that workers may be reminded of, as a supervisor edits them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, literal, select, update

from storage.calendar.personal_dates import Personal
from storage.database import Tx
from storage.errors import Refused
from storage.models import Rule, Subscription, Topic
from storage.rules.table import from_json
from storage.rules.terms import LANGUAGES, Problem, ReminderTerms, Terms, check_slug, check_texts
from storage.rules.unkept import check_code, check_names, check_words

LONGEST_NAME: Final = 40


class BadTopic(Refused):
    """What a rule says of its topic, or a topic of itself, cannot be. ``field`` is its key."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class TopicTerms:
    """What a topic says: its name on a button, its words, and the personal date it asks for."""

    code: str
    names: Mapping[str, str] = field(hash=False)
    about: Mapping[str, str] = field(hash=False)
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class TopicInfo:
    """A topic as it is kept. ``subscribers``: how many hear of it, never who."""

    id: int
    terms: TopicTerms
    shipped: bool
    stopped_at: datetime | None
    subscribers: int = 0

    @property
    def code(self) -> str:
        return self.terms.code

    @property
    def asks(self) -> str | None:
        return self.terms.asks

    def name(self, language: str) -> str:
        return in_language(self.terms.names, language)


def in_language(texts: Mapping[str, Any], language: str) -> str:
    """The text in a language, or in the first there is."""
    return str(texts.get(language) or next(iter(texts.values()), ""))


def check_topic(terms: TopicTerms) -> list[Problem]:
    """Everything that is wrong with a topic; empty when nothing is."""
    return [Problem(name, reason) for name, reason in _problems(terms)]


def _problems(terms: TopicTerms) -> Iterator[tuple[str, str]]:
    yield from check_slug("code", terms.code)
    if terms.asks is not None:
        yield from check_slug("asks", terms.asks)
    for name, texts in (("name", terms.names), ("about", terms.about)):
        yield from check_texts(name, texts)
        for language in LANGUAGES if not texts else ():
            yield f"{name}.{language}", "this is missing."
    for language, text in terms.names.items():
        if len(text) > LONGEST_NAME or "\n" in text:
            yield f"name.{language}", f"use one line of at most {LONGEST_NAME} characters."
    yield from check_code("code", terms.code)
    yield from check_code("asks", terms.asks or "")
    yield from check_names("name", terms.names)
    yield from check_words("about", terms.about)


_COLUMNS: Final = (Topic.id, Topic.code, Topic.names, Topic.about, Topic.asks, Topic.shipped)


async def list_topics(tx: Tx, *, stopped: bool = False, counted: bool = True) -> list[TopicInfo]:
    """The topics there are, in the order in which they were made; with ``stopped`` those too.

    Unless ``counted``, their subscribers are 0: to count them, everyone's are looked at.
    """
    heard = (
        select(func.count())
        .where(Subscription.topic_id == Topic.id, Subscription.ended_at.is_(None))
        .correlate(Topic)
        .scalar_subquery()
        if counted
        else literal(0)
    )
    found = select(*_COLUMNS, Topic.stopped_at, heard.label("subscribers")).order_by(Topic.id)
    if not stopped:
        found = found.where(Topic.stopped_at.is_(None))
    return [_as_topic(row) for row in await tx.execute(found)]


def _as_topic(row: Any) -> TopicInfo:
    terms = TopicTerms(row.code, row.names, row.about, row.asks)
    return TopicInfo(row.id, terms, row.shipped, row.stopped_at, row.subscribers)


async def find_topic(tx: Tx, code: str) -> TopicInfo:
    """The topic with this code, running or stopped. Raises :class:`Refused` when there is none."""
    for topic in await list_topics(tx, stopped=True):
        if topic.code == code:
            return topic
    raise Refused(f"there is no topic “{code}”: `kinroom topic list` shows them")


async def add_topic(tx: Tx, terms: TopicTerms, *, shipped: bool = False) -> TopicInfo:
    """Make a topic of checked terms. Raises :class:`Refused` when its code is taken."""
    made = await tx.scalar(
        tx.insert(Topic)
        .values(
            code=terms.code,
            names=dict(terms.names),
            about=dict(terms.about),
            asks=terms.asks,
            shipped=shipped,
        )
        .on_conflict_do_nothing()
        .returning(Topic.id)
    )
    if made is None:
        raise BadTopic(
            "code", f"there is a topic “{terms.code}” already: edit that one, or start it again"
        )
    return await find_topic(tx, terms.code)


async def edit_topic(tx: Tx, topic: TopicInfo, terms: TopicTerms) -> TopicInfo:
    """Let a topic say something else from now on; those who subscribed stay.

    Raises :class:`BadTopic` when it would no longer ask for the date that a running rule follows.
    """
    if terms.code != topic.code:
        raise BadTopic("code", "a topic keeps its code: stop it, and add another")
    if terms.asks != topic.asks:
        await _check_asked(tx, topic, terms.asks)
    await tx.execute(
        update(Topic)
        .where(Topic.id == topic.id)
        .values(names=dict(terms.names), about=dict(terms.about), asks=terms.asks)
    )
    return await find_topic(tx, topic.code)


async def _check_asked(tx: Tx, topic: TopicInfo, asks: str | None) -> None:
    running = await tx.execute(
        select(Rule.terms).where(Rule.kind == "reminder", Rule.stopped_at.is_(None))
    )
    for row in running:
        terms = from_json(row.terms)
        if not isinstance(terms, ReminderTerms) or terms.topic != topic.code:
            continue
        if isinstance(terms.when, Personal) and terms.when.date != asks:
            raise BadTopic("asks", f"rule {terms.code} follows {terms.when.date}: stop it first")


async def stop_topic(tx: Tx, topic: TopicInfo, now: datetime) -> TopicInfo:
    """Nobody is reminded of it, and nobody is offered it, until it is started again."""
    await tx.execute(
        update(Topic).where(Topic.id == topic.id, Topic.stopped_at.is_(None)).values(stopped_at=now)
    )
    return await find_topic(tx, topic.code)


async def start_topic(tx: Tx, topic: TopicInfo) -> TopicInfo:
    """Those who had subscribed when it was stopped hear of it again."""
    await tx.execute(update(Topic).where(Topic.id == topic.id).values(stopped_at=None))
    return await find_topic(tx, topic.code)


def no_topic(code: str) -> str:
    """The sentence for a topic that is none."""
    return f"there is no topic “{code}”: `kinroom topic list` shows them"


async def check_rule_topic(tx: Tx, terms: Terms) -> None:
    """Whether a rule's topic exists, and asks for the date that the rule follows.

    Raises :class:`BadTopic`, with the rule's key.
    """
    if not isinstance(terms, ReminderTerms):
        return
    row = (await tx.execute(select(Topic.asks).where(Topic.code == terms.topic))).first()
    if row is None:
        raise BadTopic("topic", no_topic(terms.topic))
    if not isinstance(terms.when, Personal) or terms.when.date == row.asks:
        return
    if row.asks is None:
        raise BadTopic("date", f"topic {terms.topic} asks people for no date")
    raise BadTopic("date", f"topic {terms.topic} asks people for {row.asks}")
