"""What the register rests on, and who looked at it."""

from datetime import datetime

from sqlalchemy import (
    Index,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, own_id, partial_index, points_to


class Contact(Base):
    """Append-only: someone was heard from, heard about, reached, or tried.

    ``evidence``: ``self``, ``relative``, ``liaison``. ``kind``: ``checkin status message help
    room call visit vouch``. ``outcome``: the answer, the status, or ``reached`` /
    ``not_reached``. A correction is a new row that names the row it ``corrects``; one of outcome
    ``undone`` takes that row back and stands for nothing itself.
    """

    __tablename__ = "contact"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    area_id: Mapped[int] = points_to("area.id")
    at: Mapped[datetime]
    evidence: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str] = mapped_column(String(12))
    success: Mapped[bool]
    checkin_id: Mapped[int | None] = points_to("checkin.id", nullable=True)
    by_person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    corrects_id: Mapped[int | None] = points_to("contact.id", nullable=True)
    ref: Mapped[str | None] = mapped_column(String(22))
    note: Mapped[bytes | None]
    __table_args__ = (
        Index(None, "person_id", "at"),
        Index(None, "area_id", "at"),
        # Corrections are few: the register asks of every contact whether there is one.
        partial_index("ix_contact_corrected", "corrects_id", where="corrects_id IS NOT NULL"),
        partial_index("ix_contact_corrections", "person_id", where="corrects_id IS NOT NULL"),
    )


class Look(Base):
    """Append-only: an officer looked at a person, or at an area's list of names."""

    __tablename__ = "look"
    id: Mapped[int] = own_id()
    by_person_id: Mapped[int] = points_to("person.id")
    person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    area_id: Mapped[int | None] = points_to("area.id", nullable=True)
    what: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "at"), Index(None, "area_id", "at"))


class Login(Base):
    """A one-time link into the console, and the session it became."""

    __tablename__ = "login"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    link_key: Mapped[str | None] = mapped_column(String(43), unique=True)
    session_key: Mapped[str | None] = mapped_column(String(43), unique=True)
    csrf: Mapped[str | None] = mapped_column(String(43))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
