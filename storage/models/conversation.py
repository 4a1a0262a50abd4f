"""What is said and heard: dialogs, the journal of updates, and the web chat's own memory."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
)
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.columns import Base, partial_index


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
        partial_index("ix_intake_unsent", "leased_until", where="replies IS NOT NULL"),
    )


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
