"""What the whole database says about itself."""

from sqlalchemy import delete, select

from storage.database import Tx
from storage.errors import Refused
from storage.models import Installation

KEY_CHECK = "key_check"
DEMO = "demo"
TELEGRAM_USERNAME = "telegram_username"
BACKUP = "backup"
"""Only in a copy: what it is a copy of."""


async def find_value(tx: Tx, key: str) -> str | None:
    value: str | None = await tx.scalar(select(Installation.value).where(Installation.key == key))
    return value


async def put_value(tx: Tx, key: str, value: str) -> None:
    insert = tx.insert(Installation).values(key=key, value=value)
    await tx.execute(
        insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value})
    )


async def drop_value(tx: Tx, key: str) -> None:
    await tx.execute(delete(Installation).where(Installation.key == key))


async def check_key(tx: Tx) -> bool:
    """Whether this database already knows its secret key; ``False`` when it has none yet.

    Raises :class:`Refused` when the key in hand is another one.
    """
    kept = await find_value(tx, KEY_CHECK)
    if kept is None:
        return False
    if kept != tx.vault.lookup(KEY_CHECK, ""):
        raise Refused(
            "the secret key is not the one this database was written with: put the old "
            "var/secret_key or KINROOM_SECRET_KEY back, nothing about people opens without it"
        )
    return True


async def keep_key(tx: Tx) -> None:
    """Remember which secret key the database is written with. The first one wins."""
    await tx.execute(
        tx.insert(Installation)
        .values(key=KEY_CHECK, value=tx.vault.lookup(KEY_CHECK, ""))
        .on_conflict_do_nothing()
    )
    await check_key(tx)
