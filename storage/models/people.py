"""Areas and people: who is known, what they agreed to, and where they are reached."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, own_id, partial_index, points_to


class Installation(Base):
    """What the whole database says about itself: ``demo``, ``key_check``."""

    __tablename__ = "installation"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]


class Area(Base):
    """A node of the tree. ``path`` is ``/1/4/9/``: a subtree is a prefix of it.

    ``weekly_budget`` is how many unsolicited messages a worker may get in seven days; null: as
    the area above has it.
    """

    __tablename__ = "area"
    id: Mapped[int] = own_id()
    parent_id: Mapped[int | None] = points_to("area.id", nullable=True, index=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    path: Mapped[str] = mapped_column(Text, unique=True)
    timezone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    weekly_budget: Mapped[int | None] = mapped_column(SmallInteger)
    created_at: Mapped[datetime]
    # Few areas have one; each message that leaves asks which of those is the nearest.
    __table_args__ = (partial_index("ix_area_budget", "path", where="weekly_budget IS NOT NULL"),)


class Person(Base):
    """Anyone known. An erased person keeps the row, for the count, and nothing else.

    ``area_id`` is set while the person is a worker on that area's register; ``timezone``,
    ``language`` fall back to the area's. ``status`` is one of ``away moving home paused left``.
    The place is coarse: ISO country, and province and city by gazetteer code; ``place`` is what
    was typed when the gazetteer did not know it. ``ask_minute`` is when of the day they chose to
    be asked, in minutes after midnight and quarters of an hour, ``usual_minute`` when they usually
    answer; ``prefers`` the channel they chose. Who is ``slower`` is asked every other time, or, if
    ``monthly`` too, the first time of each month.
    """

    __tablename__ = "person"
    id: Mapped[int] = own_id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    name: Mapped[bytes | None]
    name_key: Mapped[str | None] = mapped_column(String(43), index=True)
    phone: Mapped[bytes | None]
    phone_key: Mapped[str | None] = mapped_column(String(43), index=True)
    area_id: Mapped[int | None] = points_to("area.id", nullable=True)
    is_officer: Mapped[bool] = mapped_column(default=False)
    is_demo: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(8))
    timezone: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    province: Mapped[str | None] = mapped_column(String(40))
    city: Mapped[str | None] = mapped_column(String(40))
    place: Mapped[bytes | None]
    status: Mapped[str] = mapped_column(String(8), default="away")
    status_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    slower: Mapped[bool] = mapped_column(default=False)
    monthly: Mapped[bool] = mapped_column(default=False, server_default=false())
    quiet_from: Mapped[int] = mapped_column(SmallInteger, default=21)
    quiet_to: Mapped[int] = mapped_column(SmallInteger, default=8)
    ask_minute: Mapped[int | None] = mapped_column(SmallInteger)
    usual_minute: Mapped[int | None] = mapped_column(SmallInteger)
    prefers: Mapped[str | None] = mapped_column(String(10))
    consented: Mapped[bool] = mapped_column(default=False)
    enrolled_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        partial_index("ix_person_pause", "paused_until", where="paused_until IS NOT NULL"),
        Index(None, "area_id", "timezone", "id"),
    )


class Enrolment(Base):
    """A worker's time on one area's register; open while ``until`` is null.

    ``ended_as``: ``moved`` to another area, or ``withdrawn``. A withdrawn enrolment outlives the
    person's data as an anonymous count.
    """

    __tablename__ = "enrolment"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    area_id: Mapped[int] = points_to("area.id", index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    ended_as: Mapped[str | None] = mapped_column(String(10))


class StatusChange(Base):
    """Append-only: what a worker's status became, so that past periods can be counted."""

    __tablename__ = "status_change"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    status: Mapped[str] = mapped_column(String(8))
    slower: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "at"),)


class Consent(Base):
    """Append-only: a purpose agreed to or withdrawn, its wording's version, and through what."""

    __tablename__ = "consent"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id")
    purpose: Mapped[str] = mapped_column(String(20))
    wording: Mapped[str] = mapped_column(String(20))
    given: Mapped[bool]
    channel: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "purpose", "at"),)


class Account(Base):
    """One address of a person. ``state``: ``reachable``, ``blocked`` or ``gone``.

    Until ``held_until`` the channel wants nothing sent to this chat.
    """

    __tablename__ = "account"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    channel: Mapped[str] = mapped_column(String(10))
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), default="reachable")
    state_at: Mapped[datetime]
    held_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("bot_id", "chat_id"),)


class Role(Base):
    """An officer's role (``liaison``, ``supervisor``, ``admin``) over an area's subtree."""

    __tablename__ = "role"
    id: Mapped[int] = own_id()
    person_id: Mapped[int] = points_to("person.id", index=True)
    area_id: Mapped[int] = points_to("area.id", index=True)
    role: Mapped[str] = mapped_column(String(10))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class Invite(Base):
    """A link that lets someone in. Only the token's keyed hash is kept.

    ``kind``: ``worker`` (enrol in the area), ``officer`` (take ``role`` there), ``device`` (open
    ``person_id``'s web chat on another device), ``relative`` (may speak for ``person_id``).
    """

    __tablename__ = "invite"
    id: Mapped[int] = own_id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    token_key: Mapped[str] = mapped_column(String(43), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    area_id: Mapped[int | None] = points_to("area.id", nullable=True)
    person_id: Mapped[int | None] = points_to("person.id", nullable=True)
    role: Mapped[str | None] = mapped_column(String(10))
    name: Mapped[bytes | None]
    uses_left: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = points_to("person.id", nullable=True)
    created_at: Mapped[datetime]
