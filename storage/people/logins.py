"""The way into the console: a one-time link from the chat, and the session it becomes."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import bindparam, exists, select, update

from storage.database import Tx
from storage.errors import Refused
from storage.models import Area, Login, Person, Role

LINK_LIFETIME = timedelta(minutes=15)
SESSION_LIFETIME = timedelta(hours=12)

_LINK = re.compile(r"[A-Za-z0-9_-]{22}")
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")

Why = Literal["malformed", "unknown", "used", "expired", "ended"]


class BadLogin(Refused):
    """A link that opens nothing; ``why`` says which kind of nothing."""

    def __init__(self, why: Why) -> None:
        super().__init__(f"this console link is of no use: {why}")
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Session:
    """An open console. ``language`` is the officer's own; ``cookie`` is set only at opening."""

    login_id: int
    person_id: int
    ref: str
    name: str
    language: str
    csrf: str
    expires_at: datetime
    cookie: str | None = None


_now = bindparam("now", type_=Login.expires_at.type)

_HAS_DUTY = exists().where(Role.person_id == Login.person_id, Role.until.is_(None))

_OPEN = (
    update(Login)
    .where(
        Login.link_key == bindparam("link_key_"),
        Login.session_key.is_(None),
        Login.expires_at > _now,
        _HAS_DUTY,
    )
    .values(
        session_key=bindparam("session_key_"),
        csrf=bindparam("csrf_"),
        expires_at=bindparam("expires_at_", type_=Login.expires_at.type),
    )
    .returning(Login.id)
)

_LINK_STATE = select(Login.session_key, Login.expires_at).where(
    Login.link_key == bindparam("link_key_")
)

_OWN_LANGUAGE = (
    select(Area.language)
    .join(Role, Role.area_id == Area.id)
    .where(Role.person_id == Person.id, Role.until.is_(None))
    .order_by(Role.id)
    .limit(1)
    .scalar_subquery()
)

_FIND = (
    select(
        Login.id,
        Login.person_id,
        Login.csrf,
        Login.expires_at,
        Person.ref,
        Person.name,
        Person.language,
        _OWN_LANGUAGE.label("area_language"),
    )
    .join(Person, Person.id == Login.person_id)
    .where(
        Login.session_key == bindparam("session_key_"),
        Login.expires_at > _now,
        Person.erased_at.is_(None),
        _HAS_DUTY,
    )
)


async def make_login_link(tx: Tx, person_id: int, now: datetime) -> str:
    """A token of 22 characters ``[A-Za-z0-9_-]`` that opens the console once within 15 minutes.

    Links of the same officer that were not used stop working: the newest one is the one in hand.
    """
    await tx.execute(
        update(Login)
        .where(Login.person_id == person_id, Login.session_key.is_(None), Login.expires_at > now)
        .values(expires_at=now)
    )
    token = secrets.token_urlsafe(16)
    await tx.execute(
        tx.insert(Login).values(
            person_id=person_id,
            link_key=tx.vault.lookup("login.link", token),
            created_at=now,
            expires_at=now + LINK_LIFETIME,
        )
    )
    return token


async def open_session(tx: Tx, token: str, now: datetime) -> Session:
    """Turn a link into a session of 12 hours; its ``cookie`` is 43 characters.

    One statement uses the link up, so two taps open one session. Raises :class:`BadLogin`.
    """
    if not _LINK.fullmatch(token):
        raise BadLogin("malformed")
    link_key = tx.vault.lookup("login.link", token)
    cookie = secrets.token_urlsafe(32)
    opened = await tx.scalar(
        _OPEN,
        {
            "link_key_": link_key,
            "session_key_": tx.vault.lookup("login.session", cookie),
            "csrf_": secrets.token_urlsafe(32),
            "expires_at_": now + SESSION_LIFETIME,
            "now": now,
        },
    )
    if opened is None:
        raise BadLogin(await _why_not(tx, link_key, now))
    session = await find_session(tx, cookie, now)
    if session is None:  # erased since the link was made
        raise BadLogin("ended")
    return Session(
        session.login_id,
        session.person_id,
        session.ref,
        session.name,
        session.language,
        session.csrf,
        session.expires_at,
        cookie,
    )


async def _why_not(tx: Tx, link_key: str, now: datetime) -> Why:
    row = (await tx.execute(_LINK_STATE, {"link_key_": link_key})).first()
    if row is None:
        return "unknown"
    if row.session_key is not None:
        return "used"
    return "expired" if row.expires_at <= now else "ended"


async def find_session(tx: Tx, cookie: str, now: datetime) -> Session | None:
    """The session a cookie opens, while it lasts and while the officer has a role anywhere."""
    if not _COOKIE.fullmatch(cookie):
        return None
    key = tx.vault.lookup("login.session", cookie)
    row = (await tx.execute(_FIND, {"session_key_": key, "now": now})).first()
    if row is None:
        return None
    name = tx.vault.open("person.name", row.ref, row.name) if row.name else ""
    language = row.language or row.area_language or "zh"
    return Session(row.id, row.person_id, row.ref, name, language, row.csrf, row.expires_at)


async def close_session(tx: Tx, login_id: int, now: datetime) -> None:
    """Sign out: the session ends now; the row stays, so its link still says "used"."""
    await tx.execute(
        update(Login).where(Login.id == login_id, Login.expires_at > now).values(expires_at=now)
    )
