"""An update of every day, built the short way, is the update that aiogram builds."""

import copy
from typing import Any

import pytest
from aiogram import Bot
from aiogram.types import Update
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.plain_update import build_plain
from tests.bench.updates import checkin_tap, status_report

BOT = Bot("42:TEST")
words = st.text(max_size=8)
numbers = st.integers(-(2**53), 2**53)
user = st.fixed_dictionaries(
    {"id": numbers, "is_bot": st.booleans(), "first_name": words},
    optional={"last_name": words, "language_code": words, "is_premium": st.just(True)},
)
chat = st.fixed_dictionaries(
    {"id": numbers, "type": st.sampled_from(["private", "group", "supergroup"])},
    optional={"first_name": words, "username": words},
)
buttons = st.fixed_dictionaries({"text": words}, optional={"callback_data": words})
keyboard = st.fixed_dictionaries(
    {"inline_keyboard": st.lists(st.lists(buttons, max_size=2), max_size=2)}
)
message = st.fixed_dictionaries(
    {"message_id": numbers, "chat": chat, "date": st.integers(1, 2**33)},
    optional={"from": user, "text": words, "reply_markup": keyboard},
)
tap = st.fixed_dictionaries(
    {"id": words, "from": user, "chat_instance": words},
    optional={"data": words, "message": message},
)
plain = st.one_of(
    st.fixed_dictionaries({"update_id": numbers, "message": message}),
    st.fixed_dictionaries({"update_id": numbers, "callback_query": tap}),
)


def whole(raw: dict[str, Any]) -> Update:
    return Update.model_validate(raw, context={"bot": BOT})


def check_same(raw: dict[str, Any]) -> None:
    before = copy.deepcopy(raw)
    built = build_plain(BOT, raw)
    assert raw == before
    assert built is not None
    theirs = whole(raw)
    assert built == theirs
    assert built.model_dump() == theirs.model_dump()
    assert built.model_dump(exclude_unset=True) == theirs.model_dump(exclude_unset=True)
    assert (built.event_type, built.event.bot) == (theirs.event_type, BOT)


@settings(max_examples=150, deadline=None)
@given(plain)
def test_it_is_the_same(raw: dict[str, Any]) -> None:
    check_same(raw)


def test_a_report_and_a_tap_are_of_every_day() -> None:
    check_same(status_report(7))
    check_same(checkin_tap(7, 8))


def changed(raw: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    *way, last = path
    place = raw
    for name in way:
        place = place[name]
    if to is ...:
        del place[last]
    else:
        place[last] = to
    return raw


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"update_id": 1},
        {"update_id": 1, "message": None},
        {"update_id": 1, "message": []},
        {"update_id": 1, "edited_message": status_report(7)["message"]},
        {**status_report(7), "a_field_of_next_year": 1},
        changed(status_report(7), "update_id", to="1"),
        changed(status_report(7), "update_id", to=True),
        changed(status_report(7), "message", "photo", to=[]),
        changed(status_report(7), "message", "entities", to=[]),
        changed(status_report(7), "message", "message_id", to="7"),
        changed(status_report(7), "message", "date", to=...),
        changed(status_report(7), "message", "date", to=0),
        changed(status_report(7), "message", "date", to=2**62),
        changed(status_report(7), "message", "chat", to=...),
        changed(status_report(7), "message", "chat", "id", to=None),
        changed(status_report(7), "message", "chat", "is_forum", to=True),
        changed(status_report(7), "message", "from", "id", to=...),
        changed(status_report(7), "message", "from", "supports_inline_queries", to=True),
        changed(status_report(7), "message", "reply_markup", to={}),
        changed(status_report(7), "message", "reply_markup", to={"inline_keyboard": [[7]]}),
        changed(status_report(7), "message", "reply_markup", to={"inline_keyboard": [7]}),
        changed(checkin_tap(7, 8), "callback_query", "chat_instance", to=...),
        changed(checkin_tap(7, 8), "callback_query", "inline_message_id", to="7"),
        changed(checkin_tap(7, 8), "callback_query", "message", "date", to=0),
    ],
)
def test_what_it_does_not_know_is_left_to_aiogram(raw: dict[str, Any]) -> None:
    assert build_plain(BOT, raw) is None
