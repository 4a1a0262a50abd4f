"""Questions and calls for help."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, own_id, points_to


class Case(Base):
    """A question or a call for help. ``state``: ``open``, ``answered``, ``closed``."""

    __tablename__ = "case"
    id: Mapped[int] = own_id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    person_id: Mapped[int] = points_to("person.id", index=True)
    area_id: Mapped[int] = points_to("area.id")
    kind: Mapped[str] = mapped_column(String(10))
    urgent: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "area_id", "state", "opened_at"),)


class CaseMessage(Base):
    """One message of a case, from the worker or from an officer.

    ``media`` is ``voice``, ``photo``, ``document`` … with the channel's own ``file_id``, good
    only with the bot ``bot_id``.
    """

    __tablename__ = "case_message"
    id: Mapped[int] = own_id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    case_id: Mapped[int] = points_to("case.id", index=True)
    author_id: Mapped[int] = points_to("person.id")
    text: Mapped[bytes | None]
    media: Mapped[str | None] = mapped_column(String(12))
    file_id: Mapped[str | None]
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]
