"""Areas from the command line: added, listed, refused, and their budgets."""

import pytest

from tests.command import Command


def test_the_first_area_makes_the_database(kinroom: Command) -> None:
    done = kinroom("area", "add", "qinghe", "青禾县")
    assert done.out == "Made the database.\nAdded 青禾县 (qinghe), Asia/Shanghai, zh.\n"
    added = kinroom("area", "add", "t1", "Town", "--parent", "qinghe", "--language", "en", "--json")
    assert added.json == {
        "code": "t1",
        "name": "Town",
        "parent": "qinghe",
        "timezone": "Asia/Shanghai",
        "language": "en",
    }
    assert kinroom("area", "list").out == (
        "qinghe  青禾县  (Asia/Shanghai, zh)\n  t1  Town  (Asia/Shanghai, en)\n"
    )
    areas = kinroom("area", "list", "--json").json["areas"]
    assert [(area["code"], area["parent"]) for area in areas] == [
        ("qinghe", None),
        ("t1", "qinghe"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("x", "X"), "already"),
        (("y", "Y", "--parent", "nosuch"), "no area “nosuch”"),
        (("y", "Y", "--timezone", "Mars/Olympus"), "not a time zone"),
        (("y", "Y", "--language", "tlh"), "not one of the languages"),
    ],
)
def test_areas_that_cannot_be(kinroom: Command, words: tuple[str, ...], says: str) -> None:
    kinroom("area", "add", "x", "X")
    assert says in kinroom("area", "add", *words).complaint
    assert len(kinroom("area", "list", "--json").json["areas"]) == 1


def test_the_weeks_budget_is_set_and_inherited(kinroom: Command) -> None:
    kinroom("area", "add", "x", "X")
    kinroom("area", "add", "y", "Y", "--parent", "x")
    assert kinroom("area", "budget", "y").out == (
        "y: 3 messages a week to each worker (as above it).\n"
    )
    assert kinroom("area", "budget", "x", "5", "--json").json == {
        "area": "x",
        "budget": 5,
        "own": True,
    }
    assert kinroom("area", "budget", "y", "--json").json["budget"] == 5
    assert ", 5 messages a week)" in kinroom("area", "list").out.splitlines()[0]
    assert [it["budget"] for it in kinroom("area", "list", "--json").json["areas"]] == [5, 5]
    for nonsense in ("0", "22", "99999999999", "some"):
        assert "1 to 21 messages" in kinroom("area", "budget", "y", nonsense).complaint
    assert "not both" in kinroom("area", "budget", "y", "4", "--as-above").complaint
    assert "no area “z”" in kinroom("area", "budget", "z").complaint
    assert "as above it" in kinroom("area", "budget", "x", "--as-above").out


@pytest.mark.parametrize(
    "words",
    [
        ("rollcall", "--text", "t"),
        ("broadcast", "--text", "t"),
        ("register",),
        ("worker", "invite"),
        ("officer", "invite", "--role", "admin", "--name", "N"),
    ],
)
def test_an_area_that_is_not_there(kinroom: Command, words: tuple[str, ...]) -> None:
    kinroom("migrate")
    assert "no area “nosuch”" in kinroom(*words, "--area", "nosuch").complaint
