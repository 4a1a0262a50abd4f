"""Relatives, with the worker's agreement, and what they are asked."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, own_id, partial_index, points_to


class Kin(Base):
    """A relative who may say of a worker that they are fine.

    The worker agreed at ``agreed_at``, the relative at ``accepted_at``, until when it is an
    invitation; either may end it. ``ended_by``: ``worker`` or ``relative``.
    """

    __tablename__ = "kin"
    id: Mapped[int] = own_id()
    worker_id: Mapped[int] = points_to("person.id", index=True)
    relative_id: Mapped[int] = points_to("person.id", index=True)
    agreed_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(8))
    __table_args__ = (partial_index("ix_kin_ended", "ended_at", where="ended_at IS NOT NULL"),)


class KinQuestion(Base):
    """ "Have you heard from …?": ``answer`` is ``fine``, ``no`` or ``call``."""

    __tablename__ = "kin_question"
    id: Mapped[int] = own_id()
    kin_id: Mapped[int] = points_to("kin.id")
    checkin_id: Mapped[int] = points_to("checkin.id", index=True)
    asked_at: Mapped[datetime]
    answer_until: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(4))
    __table_args__ = (
        UniqueConstraint("kin_id", "checkin_id"),
        partial_index("ix_kin_question_open", "answer_until", where="answered_at IS NULL"),
    )
