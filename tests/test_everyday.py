"""The short way of everyday answers leads to where the long way would."""

import pytest

from handlers.words import BACK, FINE, GOING_HOME, MENU, MOVED, NEED_HELP, as_answer


def test_no_answer_is_a_word_that_is_asked_for_before_it() -> None:
    assert (FINE | MOVED | GOING_HOME | NEED_HELP).isdisjoint(MENU | BACK)


@pytest.mark.parametrize(
    ("words", "answer"), [(FINE, "ok"), (MOVED, "moved"), (GOING_HOME, "home"), (NEED_HELP, "help")]
)
def test_a_word_means_one_answer(words: frozenset[str], answer: str) -> None:
    assert {as_answer(word) for word in words} == {answer}
