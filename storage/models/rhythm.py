"""What is asked, and when: rules, their clocks, roll calls and check-ins."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy import text as sql  # for a class that has a text of its own
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, BigId, own_id, partial_index, points_to


class Rule(Base):
    """What is asked, or reminded of, in an area's subtree, and when.

    ``kind``: ``checkin`` or ``reminder``. ``terms`` are a text of :mod:`storage.rules.table`. A
    rule that is edited keeps its id and gets the next ``version``; what it was before stands in
    :class:`RuleVersion`.
    """

    __tablename__ = "rule"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    code: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10), default="checkin")
    terms: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger, default=1)
    since: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    __table_args__ = (
        Index(
            "uq_rule_running",
            "area_id",
            "code",
            unique=True,
            sqlite_where=text("stopped_at IS NULL"),
            postgresql_where=text("stopped_at IS NULL"),
        ),
    )


class RuleVersion(Base):
    """Append-only: what a rule said from ``at`` on."""

    __tablename__ = "rule_version"
    rule_id: Mapped[int] = mapped_column(BigId, ForeignKey("rule.id"), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    terms: Mapped[str]
    at: Mapped[datetime]
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)


class RuleClock(Base):
    """When a rule is next due in one time zone.

    ``planned_slot`` is the slot that is being planned, in portions: all areas before
    ``planned_area``, and in it the people up to ``planned_person``, have been asked; of reminders,
    all subscriptions up to ``planned_person``. It is planned by what the rule said in
    ``planned_version``, whatever it says by now.
    """

    __tablename__ = "rule_clock"
    rule_id: Mapped[int] = mapped_column(BigId, ForeignKey("rule.id"), primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(index=True)
    planned_slot: Mapped[str | None] = mapped_column(String(24))
    planned_version: Mapped[int | None] = mapped_column(SmallInteger)
    planned_area: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    planned_person: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class Rollcall(Base):
    """One check-in to everyone expected in an area, or in a destination below it, now.

    ``country``, ``province`` and ``city`` narrow it to who is there. An empty ``text`` stands for
    the usual words, in each reader's language. One that is not ``urgent`` waits for nobody's night
    to end but theirs. At ``next_at`` there is something to do; ``asked`` times was everyone asked
    so far, ``every`` so many minutes, ``most`` times after the first. While a round, or in the end
    the summary, is being written, ``written_to`` is the last person it was written for. From
    ``ended_at`` on nobody is asked any more and ``figures`` stand as they stood then;
    ``closed_at``: its summary is written. ``closed_by``: the officer who did not wait for
    ``closes_at``.
    """

    __tablename__ = "rollcall"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    text: Mapped[str]
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    country: Mapped[str | None] = mapped_column(String(2))
    province: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(40))
    urgent: Mapped[bool] = mapped_column(default=True, server_default=sql("true"))
    every: Mapped[int] = mapped_column(SmallInteger, default=30, server_default="30")
    most: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    at: Mapped[datetime]
    closes_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    written_to: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None]
    figures: Mapped[dict[str, Any] | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = points_to("person.id", nullable=True)
    __table_args__ = (partial_index("ix_rollcall_open", "next_at", where="closed_at IS NULL"),)


class RollcallView(Base):
    """The message in which an officer sees a roll call's figures change, ``shown`` as they stand.

    Gone once the roll call is over, or the message is.
    """

    __tablename__ = "rollcall_view"
    rollcall_id: Mapped[int] = mapped_column(BigId, ForeignKey("rollcall.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(BigId, ForeignKey("person.id"), primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    shown: Mapped[str] = mapped_column(String(120))
    next_at: Mapped[datetime] = mapped_column(index=True)


class Checkin(Base):
    """One question to one worker in one slot. ``answer``: ``ok``, ``moved``, ``home``, ``help``.

    ``slot`` is the local date ``2026-11-22`` of a rule, or ``rollcall``; ``version`` the rule's
    when it was asked, whose nudges and steps it keeps. It is *delivered* when the message was
    accepted by the channel, *answered in time* when before ``window_until``. ``next_at`` is when
    its next step is due, null when none is; ``stage`` counts those that are over.
    """

    __tablename__ = "checkin"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    area_id: Mapped[int] = points_to("area.id")
    rule_id: Mapped[int | None] = points_to("rule.id", nullable=True)
    version: Mapped[int | None] = mapped_column(SmallInteger)
    rollcall_id: Mapped[int | None] = points_to("rollcall.id", nullable=True)
    slot: Mapped[str] = mapped_column(String(24))
    due_at: Mapped[datetime]
    window_until: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(8))
    next_at: Mapped[datetime | None]
    stage: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        # The slot before the person: those asked together stand together in the index.
        UniqueConstraint("rule_id", "slot", "person_id"),
        UniqueConstraint("rollcall_id", "person_id"),
        Index(None, "person_id", "due_at"),
        Index(None, "area_id", "due_at"),
        partial_index("ix_checkin_next", "next_at", where="next_at IS NOT NULL"),
    )


class Step(Base):
    """Append-only: what was done, or left, because a check-in had no answer.

    ``kind``: ``nudge``, ``relative``, ``liaison``, ``supervisor``; ``n`` counts within the
    check-in. ``outcome``: ``done``, or ``skipped`` for ``reason``.
    """

    __tablename__ = "step"
    id: Mapped[int] = own_id()
    checkin_id: Mapped[int] = points_to("checkin.id")
    person_id: Mapped[int] = points_to("person.id", index=True)
    n: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(String(12))
    outcome: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(80))
    at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("checkin_id", "n"),)


TASK_NEWS: Final = "closed_at IS NULL AND (told_at IS NULL OR told_at < raised_at)"
"""Open tasks that some officer has not been told of yet."""


class Task(Base):
    """Something a liaison is asked to do about a silent worker; open while ``closed_at`` is null.

    ``why``: the class of the silence, or what the relative said. At ``raise_at`` it is raised to
    the supervisor, ``raised_at`` says that it was. ``told_at`` is when an officer's digest last
    took it up: null until the liaison's did, before ``raised_at`` until the supervisor's did.
    ``closed_as``: ``heard``, ``vouched``, ``reached``, ``left``, ``done``.
    """

    __tablename__ = "task"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    area_id: Mapped[int] = points_to("area.id", index=True)
    checkin_id: Mapped[int | None] = points_to("checkin.id", nullable=True)
    why: Mapped[str] = mapped_column(String(12))
    opened_at: Mapped[datetime]
    raise_at: Mapped[datetime | None]
    raised_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_as: Mapped[str | None] = mapped_column(String(10))
    __table_args__ = (
        Index(
            "uq_task_open",
            "person_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        partial_index("ix_task_raise", "raise_at", where="closed_at IS NULL"),
        partial_index("ix_task_news", "id", where=TASK_NEWS),
    )
