"""What is asked, and when: rules, their clocks, roll calls and check-ins."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
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
    """When a rule is next due in one time zone."""

    __tablename__ = "rule_clock"
    rule_id: Mapped[int] = mapped_column(BigId, ForeignKey("rule.id"), primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(index=True)


class Rollcall(Base):
    """One check-in to everyone expected in an area, or in a destination below it, now.

    ``country``, ``province`` and ``city`` narrow it to who is there. Who has not answered is asked
    again at ``next_at``, ``asked`` times so far. ``closed_at``: its summary has gone out.
    """

    __tablename__ = "rollcall"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    text: Mapped[str]
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    country: Mapped[str | None] = mapped_column(String(2))
    province: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime]
    closes_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[int | None] = points_to("person.id", nullable=True)
    __table_args__ = (partial_index("ix_rollcall_open", "next_at", where="closed_at IS NULL"),)


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
        UniqueConstraint("rule_id", "person_id", "slot"),
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


class Task(Base):
    """Something a liaison is asked to do about a silent worker; open while ``closed_at`` is null.

    ``why``: the class of the silence, or what the relative said. At ``raise_at`` the supervisor is
    told; ``raised_at`` says that it was done. ``closed_as``: ``heard``, ``vouched``, ``reached``,
    ``left``, ``done``.
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
    )
