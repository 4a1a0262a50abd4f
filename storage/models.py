"""The tables. Times are UTC; what is sealed (``bytes``) opens only with its row's ``ref``."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy import DateTime as SqlDateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware ``datetime`` in UTC; a naive one is refused, on both databases."""

    impl = SqlDateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it from the class
        datetime: UtcDateTime(),
        str: Text(),
        bytes: LargeBinary(),
        bool: Boolean(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


def _id() -> Any:
    return mapped_column(BigId, primary_key=True, autoincrement=True)


def _to(target: str, *, nullable: bool = False, index: bool = False) -> Any:
    return mapped_column(BigId, ForeignKey(target), nullable=nullable, index=index)


class Installation(Base):
    """What the whole database says about itself: ``demo``, ``key_check``."""

    __tablename__ = "installation"
    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str]


class Area(Base):
    """A node of the tree. ``path`` is ``/1/4/9/``: a subtree is a prefix of it."""

    __tablename__ = "area"
    id: Mapped[int] = _id()
    parent_id: Mapped[int | None] = _to("area.id", nullable=True, index=True)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    path: Mapped[str] = mapped_column(Text, unique=True)
    timezone: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime]


class Person(Base):
    """Anyone known. An erased person keeps the row, for the count, and nothing else.

    ``area_id`` is set while the person is a worker on that area's register; ``timezone``,
    ``language`` fall back to the area's. ``status`` is one of ``away moving home paused left``.
    The place is coarse: ISO country, and province and city by gazetteer code; ``place`` is what
    was typed when the gazetteer did not know it.
    """

    __tablename__ = "person"
    id: Mapped[int] = _id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    name: Mapped[bytes | None]
    name_key: Mapped[str | None] = mapped_column(String(43), index=True)
    phone: Mapped[bytes | None]
    phone_key: Mapped[str | None] = mapped_column(String(43), index=True)
    area_id: Mapped[int | None] = _to("area.id", nullable=True, index=True)
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
    quiet_from: Mapped[int] = mapped_column(SmallInteger, default=21)
    quiet_to: Mapped[int] = mapped_column(SmallInteger, default=8)
    consented: Mapped[bool] = mapped_column(default=False)
    enrolled_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        Index(
            "ix_person_pause",
            "paused_until",
            sqlite_where=text("paused_until IS NOT NULL"),
            postgresql_where=text("paused_until IS NOT NULL"),
        ),
    )


class Enrolment(Base):
    """A worker's time on one area's register; open while ``until`` is null.

    ``ended_as``: ``moved`` to another area, or ``withdrawn``. A withdrawn enrolment outlives the
    person's data as an anonymous count.
    """

    __tablename__ = "enrolment"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id", index=True)
    area_id: Mapped[int] = _to("area.id", index=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    ended_as: Mapped[str | None] = mapped_column(String(10))


class StatusChange(Base):
    """Append-only: what a worker's status became, so that past periods can be counted."""

    __tablename__ = "status_change"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id")
    status: Mapped[str] = mapped_column(String(8))
    slower: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "at"),)


class Consent(Base):
    """Append-only: a purpose agreed to or withdrawn, its wording's version, and through what."""

    __tablename__ = "consent"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id")
    purpose: Mapped[str] = mapped_column(String(20))
    wording: Mapped[str] = mapped_column(String(20))
    given: Mapped[bool]
    channel: Mapped[str] = mapped_column(String(10))
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "purpose", "at"),)


class Account(Base):
    """One address of a person. ``state``: ``reachable``, ``blocked`` or ``gone``."""

    __tablename__ = "account"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id", index=True)
    channel: Mapped[str] = mapped_column(String(10))
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10), default="reachable")
    state_at: Mapped[datetime]
    created_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("bot_id", "chat_id"),)


class Role(Base):
    """An officer's role (``liaison``, ``supervisor``, ``admin``) over an area's subtree."""

    __tablename__ = "role"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id", index=True)
    area_id: Mapped[int] = _to("area.id", index=True)
    role: Mapped[str] = mapped_column(String(10))
    since: Mapped[datetime]
    until: Mapped[datetime | None]


class Invite(Base):
    """A link that lets someone in. Only the token's keyed hash is kept.

    ``kind``: ``worker`` (enrol in the area), ``officer`` (take ``role`` there), ``device`` (open
    ``person_id``'s web chat on another device).
    """

    __tablename__ = "invite"
    id: Mapped[int] = _id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    token_key: Mapped[str] = mapped_column(String(43), unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    area_id: Mapped[int | None] = _to("area.id", nullable=True)
    person_id: Mapped[int | None] = _to("person.id", nullable=True)
    role: Mapped[str | None] = mapped_column(String(10))
    name: Mapped[bytes | None]
    uses_left: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = _to("person.id", nullable=True)
    created_at: Mapped[datetime]


class Dialog(Base):
    """Where a conversation stands: aiogram's FSM state and data, one row a chat and user."""

    __tablename__ = "dialog"
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    state: Mapped[str | None] = mapped_column(String(120))
    data: Mapped[bytes | None]
    updated_at: Mapped[datetime]


class Intake(Base):
    """An update that has had its effect. ``replies`` are sealed, and gone once sent.

    Until ``leased_until`` they are the business of the process that took the update in.
    ``problem`` names the error of an update that was set aside.
    """

    __tablename__ = "intake"
    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    replies: Mapped[bytes | None]
    leased_until: Mapped[datetime | None]
    problem: Mapped[str | None]
    __table_args__ = (
        Index(
            "ix_intake_unsent",
            "leased_until",
            sqlite_where=text("replies IS NOT NULL"),
            postgresql_where=text("replies IS NOT NULL"),
        ),
    )


class CheckinRule(Base):
    """A weekly check-in of an area's subtree, at an hour of each worker's own zone.

    ``weekday`` 0 is Monday; ``every`` counts weeks; ``window_hours`` is how long an answer
    counts as in time.
    """

    __tablename__ = "checkin_rule"
    id: Mapped[int] = _id()
    area_id: Mapped[int] = _to("area.id", index=True)
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
    id: Mapped[int] = _id()
    area_id: Mapped[int] = _to("area.id", index=True)
    text: Mapped[str]
    by_person_id: Mapped[int | None] = _to("person.id", nullable=True)
    at: Mapped[datetime]
    closes_at: Mapped[datetime]


class Checkin(Base):
    """One question to one worker in one slot. ``answer``: ``ok``, ``moved``, ``home``, ``help``.

    ``slot`` is the local date ``2026-11-22`` of a rule, or ``rollcall``. It is *delivered* when
    the message was accepted by the channel, *answered in time* when before ``window_until``.
    """

    __tablename__ = "checkin"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id")
    area_id: Mapped[int] = _to("area.id")
    rule_id: Mapped[int | None] = _to("checkin_rule.id", nullable=True)
    rollcall_id: Mapped[int | None] = _to("rollcall.id", nullable=True)
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


class Broadcast(Base):
    """One act of sending to an area's subtree. ``language`` narrows it to those who read it."""

    __tablename__ = "broadcast"
    id: Mapped[int] = _id()
    area_id: Mapped[int] = _to("area.id", index=True)
    text: Mapped[str]
    language: Mapped[str | None] = mapped_column(String(8))
    by_person_id: Mapped[int | None] = _to("person.id", nullable=True)
    audience: Mapped[int]
    at: Mapped[datetime]


class Case(Base):
    """A question or a call for help. ``state``: ``open``, ``answered``, ``closed``."""

    __tablename__ = "case"
    id: Mapped[int] = _id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    person_id: Mapped[int] = _to("person.id", index=True)
    area_id: Mapped[int] = _to("area.id")
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
    id: Mapped[int] = _id()
    ref: Mapped[str] = mapped_column(String(22), unique=True)
    case_id: Mapped[int] = _to("case.id", index=True)
    author_id: Mapped[int] = _to("person.id")
    text: Mapped[bytes | None]
    media: Mapped[str | None] = mapped_column(String(12))
    file_id: Mapped[str | None]
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime]


class Delivery(Base):
    """One unsolicited message to one person: a row of the outbox.

    ``state``: ``queued sending sent unknown failed expired cancelled``. The text is made at
    delivery from ``template`` and what it points at. ``priority``: 0 case reply and urgent,
    1 check-in, 2 reminder, 3 broadcast. ``lane`` is the bot it is to leave through, null when the
    person had no account that can be reached. ``reason`` says in a few words why it waits, or why
    it ended as it did.
    """

    __tablename__ = "delivery"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id", index=True)
    template: Mapped[str] = mapped_column(String(24))
    params: Mapped[dict[str, Any] | None]
    priority: Mapped[int] = mapped_column(SmallInteger)
    urgent: Mapped[bool] = mapped_column(default=False)
    lane: Mapped[int | None] = mapped_column(BigInteger)
    checkin_id: Mapped[int | None] = _to("checkin.id", nullable=True, index=True)
    broadcast_id: Mapped[int | None] = _to("broadcast.id", nullable=True, index=True)
    case_id: Mapped[int | None] = _to("case.id", nullable=True, index=True)
    case_message_id: Mapped[int | None] = _to("case_message.id", nullable=True)
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
        Index(
            "ix_delivery_due",
            "lane",
            "priority",
            "not_before",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_delivery_expiry",
            "expires_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_delivery_sending",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index("ix_delivery_message", "account_id", "message_id"),
        Index("ix_delivery_finished_at", "finished_at"),
    )


class Contact(Base):
    """Append-only: someone was heard from, heard about, reached, or tried.

    ``evidence``: ``self``, ``relative``, ``liaison``. ``kind``: ``checkin status message help
    room call visit vouch``. ``outcome``: the answer, the status, or ``reached`` /
    ``not_reached``. A correction is a new row that names the row it ``corrects``; one of outcome
    ``undone`` takes that row back and stands for nothing itself.
    """

    __tablename__ = "contact"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id")
    area_id: Mapped[int] = _to("area.id")
    at: Mapped[datetime]
    evidence: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(8))
    outcome: Mapped[str] = mapped_column(String(12))
    success: Mapped[bool]
    checkin_id: Mapped[int | None] = _to("checkin.id", nullable=True)
    by_person_id: Mapped[int | None] = _to("person.id", nullable=True)
    corrects_id: Mapped[int | None] = _to("contact.id", nullable=True)
    ref: Mapped[str | None] = mapped_column(String(22))
    note: Mapped[bytes | None]
    __table_args__ = (
        Index(None, "person_id", "at"),
        Index(None, "area_id", "at"),
        # Corrections are few: the register asks of every contact whether there is one.
        Index(
            "ix_contact_corrected",
            "corrects_id",
            sqlite_where=text("corrects_id IS NOT NULL"),
            postgresql_where=text("corrects_id IS NOT NULL"),
        ),
        Index(
            "ix_contact_corrections",
            "person_id",
            sqlite_where=text("corrects_id IS NOT NULL"),
            postgresql_where=text("corrects_id IS NOT NULL"),
        ),
    )


class Look(Base):
    """Append-only: an officer looked at a person, or at an area's list of names."""

    __tablename__ = "look"
    id: Mapped[int] = _id()
    by_person_id: Mapped[int] = _to("person.id")
    person_id: Mapped[int | None] = _to("person.id", nullable=True)
    area_id: Mapped[int | None] = _to("area.id", nullable=True)
    what: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    __table_args__ = (Index(None, "person_id", "at"), Index(None, "area_id", "at"))


class Login(Base):
    """A one-time link into the console, and the session it became."""

    __tablename__ = "login"
    id: Mapped[int] = _id()
    person_id: Mapped[int] = _to("person.id", index=True)
    link_key: Mapped[str | None] = mapped_column(String(43), unique=True)
    session_key: Mapped[str | None] = mapped_column(String(43), unique=True)
    csrf: Mapped[str | None] = mapped_column(String(43))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class WebChat(Base):
    """A conversation on the built-in web chat; kept from consent on.

    ``revision`` grows with every change of a message: a page asks for what is newer than the one
    it has. ``cookie_key`` values that open it are in :class:`WebDevice`.
    """

    __tablename__ = "web_chat"
    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    last_message_id: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[datetime]


class WebDevice(Base):
    """A browser that holds a conversation: the keyed hash of its cookie."""

    __tablename__ = "web_device"
    cookie_key: Mapped[str] = mapped_column(String(43), primary_key=True)
    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("web_chat.chat_id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime]


class WebMessage(Base):
    """One bubble. ``body`` is the sealed JSON of what the page shows, bound to
    ``chat_id/message_id``; null once deleted.
    """

    __tablename__ = "web_message"
    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("web_chat.chat_id", ondelete="CASCADE"), primary_key=True
    )
    message_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes | None]
    at: Mapped[datetime]
    __table_args__ = (Index(None, "chat_id", "revision"),)


class WebFile(Base):
    """A voice note, photo or document of a web conversation; ``content`` is sealed."""

    __tablename__ = "web_file"
    ref: Mapped[str] = mapped_column(String(22), primary_key=True)
    chat_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("web_chat.chat_id", ondelete="CASCADE"), index=True
    )
    name: Mapped[bytes | None]
    mime: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    content: Mapped[bytes]
    created_at: Mapped[datetime]
