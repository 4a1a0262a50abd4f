"""Notices from the command line: sent, listed, shown, stopped."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from bot.demo import make_demo
from storage.database import Tx
from storage.models import Delivery
from storage.outbox.burden import USED_UP
from storage.vault import Vault
from tests.command import Command, write_to


@pytest.mark.parametrize("words", ["", "   ", "长" * 3001])
@pytest.mark.parametrize("command", ["rollcall", "broadcast"])
def test_texts_that_cannot_be_sent(kinroom: Command, command: str, words: str) -> None:
    kinroom("area", "add", "x", "X")
    assert kinroom(command, "--area", "x", "--text", words).complaint.startswith("the text is")


async def _hold_all(tx: Tx) -> None:
    await tx.execute(update(Delivery).values(reason=USED_UP))


def test_a_broadcast_is_listed_shown_and_stopped(
    installed: Command, database_url: str, vault: Vault
) -> None:
    assert installed("broadcast", "list").out == "No notice was sent yet.\n"
    assert installed("broadcast", "show", "1").complaint == "there is no broadcast 1"
    write_to(database_url, vault, lambda tx: make_demo(tx, datetime.now(UTC)))
    installed("area", "add", "empty", "Nobody")

    none = installed("broadcast", "--area", "empty", "--text", "hello")
    assert "nobody to send it to, so it is over" in none.out
    over = installed("broadcast", "list", "--json").json["broadcasts"][0]
    assert (over["state"], over["audience"]) == ("done", 0)
    assert "There was nobody" in installed("broadcast", "show", str(over["broadcast"])).out
    assert "is over already" in installed("broadcast", "stop", str(over["broadcast"])).complaint

    sent = installed("broadcast", "--area", "demo", "--text", "体检", "--json").json
    assert set(sent) == {"broadcast", "area", "count"}
    number = str(sent["broadcast"])
    running = installed("broadcast", "show", number, "--names", "--json").json
    assert (running["state"], running["audience"]) == ("running", sent["count"])
    assert running["outcome"]["waiting"] == len(running["names"]) == sent["count"]
    assert "体检" in installed("broadcast", "list", "--area", "demo").out
    assert installed("broadcast", "list", "--area", "empty", "--json").json["broadcasts"] == [over]
    assert "no area “nosuch”" in installed("broadcast", "list", "--area", "nosuch").complaint

    assert "Waiting:" not in installed("broadcast", "show", number).out
    write_to(database_url, vault, _hold_all)
    assert installed("broadcast", "show", number).out.endswith(
        f"Waiting:\n  {sent['count']:>9}  this week's messages are used up\n"
    )
    waits = installed("broadcast", "show", number, "--json").json["waits"]
    assert waits == {USED_UP: sent["count"]}

    stopped = installed("broadcast", "stop", number, "--json").json
    assert (stopped["state"], stopped["outcome"]["cancelled"]) == ("stopped", sent["count"])
    assert stopped["ended_at"] is not None
    assert "is stopped already" in installed("broadcast", "stop", number).complaint
    shown = installed("broadcast", "show", number, "--names").out
    assert "stopped" in shown
    assert "林小满: the notice was stopped" in shown
    assert "there is no broadcast 999" in installed("broadcast", "stop", "999").complaint
    both = installed("broadcast", "--area", "demo", "list")
    assert "either send a notice" in both.complaint
