"""What is backed up in tests, a demo county or one small area, and a look at what is there."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from bot.demo import make_demo
from storage.vault import Vault
from tests.command import Command, write_to

FILE = Path("county.backup")


@pytest.fixture
def county(installed: Command, database_url: str, vault: Vault) -> Command:
    """The command on a demo county, of which ``FILE`` is a backup."""
    write_to(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    assert installed("backup", str(FILE)).code == 0
    return installed


@pytest.fixture
def small(installed: Command) -> Command:
    """The command on a database with one area, of which ``FILE`` is a backup."""
    installed("area", "add", "x", "X")
    assert installed("backup", str(FILE)).code == 0
    return installed


def areas_of(kinroom: Command) -> list[str]:
    return [area["code"] for area in kinroom("area", "list", "--json").json["areas"]]


def register_of(kinroom: Command) -> Any:
    return kinroom("register", "--area", "demo", "--json").json


async def connect(url: str, **more: Any) -> Any:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return await asyncpg.connect(plain, **more)
