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


def test_where_and_what_was_asked_stands_in_the_list(
    installed: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    installed("area", "add", "x", "X")
    begun = installed("rollcall", "--area", "x", "--city", "东莞", "--text", "地震了\n平安吗？")
    assert begun.code == 0, begun.err
    listed = installed("rollcall", "list").out
    assert "x, in 东莞: asked 0" in listed
    assert "“地震了 平安吗？”" in listed
    shown = installed("rollcall", "show", "1").out.splitlines()
    assert shown[0].startswith("Roll call 1 of x, in 东莞, over since ")
    assert shown[1:3] == ["  | 地震了", "  | 平安吗？"]
    assert installed("rollcall", "show", "1", "--json").json["text"] == "地震了\n平安吗？"
