"""Services people asked to be reminded of."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, own_id, partial_index, points_to


class Topic(Base):
    """A service offered. ``names`` and ``about`` by language; ``shipped``: of the starting set.

    ``asks``: the personal date it needs, such as ``certificate-expiry``; null for none.
    """

    __tablename__ = "topic"
    id: Mapped[int] = own_id()
    code: Mapped[str] = mapped_column(String(40), unique=True)
    names: Mapped[dict[str, Any]]
    about: Mapped[dict[str, Any]]
    asks: Mapped[str | None] = mapped_column(String(40))
    shipped: Mapped[bool] = mapped_column(default=False)
    stopped_at: Mapped[datetime | None]


class Subscription(Base):
    """A worker's own choice to hear of a topic, with their date for it.

    ``day`` came to be known at ``since``. ``every_months``: it comes again. What is meant by a
    reminder up to the day ``done_for`` is settled. ``ended_as``: ``done`` or ``declined``.
    """

    __tablename__ = "subscription"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    topic_id: Mapped[int] = points_to("topic.id", index=True)
    day: Mapped[date | None] = mapped_column(Date)
    every_months: Mapped[int | None] = mapped_column(SmallInteger)
    done_for: Mapped[date | None] = mapped_column(Date)
    since: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_as: Mapped[str | None] = mapped_column(String(10))
    __table_args__ = (
        partial_index("ix_subscription_open", "topic_id", "day", where="ended_at IS NULL"),
        Index(
            "uq_subscription_open",
            "person_id",
            "topic_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )


class Reminder(Base):
    """One reminder to one worker in one slot. ``answer``: ``done``, ``later``, ``stop``.

    ``slot`` is the local day it was planned for, ``about`` the day it is about: the expiry itself,
    Spring Festival.
    """

    __tablename__ = "reminder"
    id: Mapped[int] = own_id()
    rule_id: Mapped[int] = points_to("rule.id")
    person_id: Mapped[int] = points_to("person.id", index=True)
    subscription_id: Mapped[int] = points_to("subscription.id", index=True)
    slot: Mapped[str] = mapped_column(String(24))
    about: Mapped[date] = mapped_column(Date)
    due_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(8))
    __table_args__ = (
        UniqueConstraint("rule_id", "person_id", "slot"),
        Index(None, "rule_id", "due_at"),
    )
