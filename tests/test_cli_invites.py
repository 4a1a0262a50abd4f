"""Officers and villages are invited from the command line: links, QR codes, names."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.installation import TELEGRAM_USERNAME, put_value
from storage.people.invites import check_invite
from storage.vault import Vault
from tests.command import Command, write_to


def test_an_officer_is_invited(installed: Command, database_url: str, vault: Vault) -> None:
    installed("area", "add", "x", "X")
    made = installed(
        "officer", "invite", "--area", "x", "--role", "liaison", "--name", " 何 秋云 ", "--json"
    ).json
    token = made["token"]
    web = f"http://127.0.0.1:8080/chat/?start={token}"
    assert made == {"token": token, "links": {"telegram": None, "web": web}}
    now = datetime.now(UTC)
    invite = write_to(database_url, vault, lambda tx: check_invite(tx, token, now))
    assert (invite.kind, invite.role, invite.name) == ("officer", "liaison", "何 秋云")
    said = installed("officer", "invite", "--area", "x", "--role", "admin", "--name", "N").out
    assert "http://127.0.0.1:8080/chat/?start=o" in said


def test_the_telegram_link_once_the_bot_is_known(
    installed: Command, database_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("area", "add", "x", "X")
    write_to(database_url, vault, lambda tx: put_value(tx, TELEGRAM_USERNAME, "kin_bot"))
    made = installed("worker", "invite", "--area", "x", "--json").json
    assert made["links"]["telegram"] is None
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", "42:abc")
    made = installed("worker", "invite", "--area", "x", "--json").json
    assert made["links"]["telegram"] == f"https://t.me/kin_bot?start={made['token']}"


def test_a_village_is_invited_with_a_qr_code(kinroom: Command, tmp_path: Path) -> None:
    kinroom("area", "add", "x", "X")
    file = tmp_path / "code.svg"
    done = kinroom("worker", "invite", "--area", "x", "--uses", "30", "--qr", str(file))
    assert "for 30 people" in done.out
    assert ET.parse(file).getroot().tag.endswith("svg")
    missing = tmp_path / "nowhere" / "code.svg"
    refused = kinroom("worker", "invite", "--area", "x", "--qr", str(missing))
    assert "there is no folder" in refused.complaint


@pytest.mark.parametrize("name", ["", "  ", "N" * 41, "123"])
def test_an_officer_has_a_name(kinroom: Command, name: str) -> None:
    kinroom("area", "add", "x", "X")
    refused = kinroom("officer", "invite", "--area", "x", "--role", "admin", "--name", name)
    assert "1 to 40 characters" in refused.complaint
