"""Roll calls from the command line: what cannot be is refused before anyone is asked."""

import pytest

from tests.command import Command


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--country", "US", "--city", "东莞"), "“东莞” does not lie in “US”"),
        (("--province", "浙江", "--city", "东莞"), "“东莞” does not lie in “浙江”"),
        (("--city", "Atlantis"), "“Atlantis” is no city that Kinroom knows"),
        (("--country", "Mars"), "“Mars” is not a country"),
        (("--nudge-every", "90", "--for", "1"), "it is over after 1 h, before anyone is asked"),
    ],
)
def test_a_roll_call_that_cannot_be(
    installed: Command, options: tuple[str, ...], says: str
) -> None:
    installed("area", "add", "x", "X")
    assert says in installed("rollcall", "--area", "x", "--text", "ok?", *options).complaint
    assert installed("rollcall", "list", "--json").json["rollcalls"] == []
    asked_once = ("--nudge-every", "90", "--nudges", "0", "--for", "1")
    assert installed("rollcall", "--area", "x", "--text", "ok?", *asked_once).code == 0
