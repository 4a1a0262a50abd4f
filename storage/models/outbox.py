"""What goes out unasked: broadcasts, messages on their way, messages that are over."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    SmallInteger,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, BigId, own_id, partial_index, points_to


class Broadcast(Base):
    """One act of sending to an area's subtree. ``language`` narrows it to those who read it.

    Its messages are written in chunks: those up to the person ``expanded_to`` are, and
    ``expanded_at`` says that none is missing. ``ended_at`` is set once no message of it waits any
    more, ``stopped_at`` when someone, or what ``stop_reason`` names, called it off.
    """

    __tablename__ = "broadcast"
    id: Mapped[int] = own_id()
    area_id: Mapped[int] = points_to("area.id", index=True)
    text: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(8))
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    audience: Mapped[int]
    at: Mapped[datetime]
    expanded_to: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    expanded_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[int | None] = points_to("person.id", nullable=True)
    stop_reason: Mapped[str | None] = mapped_column(String(80))
    ended_at: Mapped[datetime | None]
    __table_args__ = (partial_index("ix_broadcast_running", "id", where="ended_at IS NULL"),)


class Delivery(Base):
    """One unsolicited message to one person: a row of the outbox.

    ``state``: ``queued sending sent unknown failed expired cancelled``. The text is made at
    delivery from ``template`` and what it points at. ``priority``: 0 case reply and urgent,
    1 check-in, 2 reminder, 3 broadcast. ``lane`` is the bot it is to leave through, null when the
    person had no account that can be reached. ``reason`` says in a few words why it waits, or why
    it ended as it did. Some time after its end it moves to :class:`PastDelivery`.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    template: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any] | None]
    priority: Mapped[int] = mapped_column(SmallInteger)
    urgent: Mapped[bool] = mapped_column(default=False)
    lane: Mapped[int | None] = mapped_column(BigInteger)
    checkin_id: Mapped[int | None] = points_to("checkin.id", nullable=True)
    broadcast_id: Mapped[int | None] = points_to("broadcast.id", nullable=True, index=True)
    case_id: Mapped[int | None] = points_to("case.id", nullable=True)
    case_message_id: Mapped[int | None] = points_to("case_message.id", nullable=True)
    reminder_id: Mapped[int | None] = points_to("reminder.id", nullable=True)
    dedupe_key: Mapped[str] = mapped_column(String(80), unique=True)
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    lease_until: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(BigId)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    __table_args__ = (
        # One queue for each lane, priority and broadcast; claims read the head of one.
        partial_index(
            "ix_delivery_due",
            "lane",
            "priority",
            "broadcast_id",
            "not_before",
            "id",
            where="state = 'queued'",
        ),
        partial_index("ix_delivery_expiry", "expires_at", where="state = 'queued'"),
        partial_index("ix_delivery_sending", "lease_until", where="state = 'sending'"),
        partial_index("ix_delivery_checkin_id", "checkin_id", where="checkin_id IS NOT NULL"),
        partial_index("ix_delivery_case_id", "case_id", where="case_id IS NOT NULL"),
        partial_index("ix_delivery_reminder_id", "reminder_id", where="reminder_id IS NOT NULL"),
        partial_index(
            "ix_delivery_message", "account_id", "message_id", where="message_id IS NOT NULL"
        ),
        partial_index("ix_delivery_finished_at", "finished_at", where="finished_at IS NOT NULL"),
    )


class PastDelivery(Base):
    """A delivery that is over, out of the way of those that are not.

    On PostgreSQL a partition holds each month of ``finished_at``. What it points at may be gone.
    """

    __tablename__ = "delivery_past"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    finished_at: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    person_id: Mapped[int] = mapped_column(BigInteger)
    template: Mapped[str] = mapped_column(String(24))
    priority: Mapped[int] = mapped_column(SmallInteger)
    urgent: Mapped[bool] = mapped_column(default=False)
    lane: Mapped[int | None] = mapped_column(BigInteger)
    checkin_id: Mapped[int | None] = mapped_column(BigInteger)
    broadcast_id: Mapped[int | None] = mapped_column(BigInteger)
    case_id: Mapped[int | None] = mapped_column(BigInteger)
    case_message_id: Mapped[int | None] = mapped_column(BigInteger)
    dedupe_key: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(SmallInteger)
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    __table_args__ = (
        Index(None, "person_id", "finished_at"),
        partial_index("ix_delivery_past_checkin", "checkin_id", where="checkin_id IS NOT NULL"),
        partial_index(
            "ix_delivery_past_broadcast", "broadcast_id", where="broadcast_id IS NOT NULL"
        ),
        partial_index("ix_delivery_past_case", "case_id", where="case_id IS NOT NULL"),
        partial_index(
            "ix_delivery_past_message", "account_id", "message_id", where="message_id IS NOT NULL"
        ),
        {"postgresql_partition_by": "RANGE (finished_at)"},
    )


class LanePace(Base):
    """One bot's pace, shared by the processes that send through it.

    ``free_at`` is when its next message may leave; until ``held_until`` the channel wants nothing
    of the bot at all. Both by the database's clock.
    """

    __tablename__ = "lane_pace"
    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    free_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
