"""What is asked, and when: rules, their clocks, roll calls and check-ins."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, BigId, own_id, points_to


class CheckinRule(Base):
    """A weekly check-in of an area's subtree, at an hour of each worker's own zone.

    ``weekday`` 0 is Monday; ``every`` counts weeks; ``window_hours`` is how long an answer
    counts as in time.
    """

    __tablename__ = "checkin_rule"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    every: Mapped[int] = mapped_column(SmallInteger, default=1)
    weekday: Mapped[int] = mapped_column(SmallInteger, default=6)
    hour: Mapped[int] = mapped_column(SmallInteger, default=10)
    window_hours: Mapped[int] = mapped_column(SmallInteger, default=48)
    since: Mapped[datetime]
    stopped_at: Mapped[datetime | None]


class RuleClock(Base):
    """When a rule is next due in one time zone."""

    __tablename__ = "rule_clock"
    rule_id: Mapped[int] = mapped_column(BigId, ForeignKey("checkin_rule.id"), primary_key=True)
    timezone: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(index=True)


class Rollcall(Base):
    """One check-in to everyone expected in an area, now."""

    __tablename__ = "rollcall"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    text: Mapped[str]
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    at: Mapped[datetime]
    closes_at: Mapped[datetime]


class Checkin(Base):
    """One question to one worker in one slot. ``answer``: ``ok``, ``moved``, ``home``, ``help``.

    ``slot`` is the local date ``2026-11-22`` of a rule, or ``rollcall``. It is *delivered* when
    the message was accepted by the channel, *answered in time* when before ``window_until``.
    """

    __tablename__ = "checkin"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    area_id: Mapped[int] = points_to("area.id")
    rule_id: Mapped[int | None] = points_to("checkin_rule.id", nullable=True)
    rollcall_id: Mapped[int | None] = points_to("rollcall.id", nullable=True)
    slot: Mapped[str] = mapped_column(String(24))
    due_at: Mapped[datetime]
    window_until: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(8))
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    chat_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    __table_args__ = (
        UniqueConstraint("rule_id", "person_id", "slot"),
        UniqueConstraint("rollcall_id", "person_id"),
        Index(None, "person_id", "due_at"),
        Index(None, "area_id", "due_at"),
    )
