"""How urgent written words are."""

import pytest

from handlers.worker.urgency import how_urgent, names_danger, says_nothing
from locales.catalogs import Catalogs

URGENT = [
    "很急，工地出事了",
    "出车祸了",
    "urgent",
    "It's urgent!",
    "fire! call police",
    "急",
    "特别着急",
    "现在",
    "Urgent, now",
    "很急，马上要人",
    "救命",
    "SOS",
    "不急，但是有人流血",
    "老板把我护照扣了，人被关在厂里",
    "accident, my leg is broken",
    "Somebody stabbed my friend",
    "能不急吗",
    "come right now",
]
CALM = [
    "不急",
    "不着急，就是想问社保",
    "不是很急",
    "没那么急",
    "not urgent",
    "It's not very urgent",
    "no hurry",
    "it can wait",
    "不急，等回话就行",
    "不急，没人受伤",
    "not urgent, nobody is hurt",
]
BACK = ["没事了", "没事", "I'm fine after all", "i'm fine", "平安"]
ABOUT = [
    "工资没发",
    "老板被扣了三百块钱工资",
    "my pay is late",
    "ok",
    "1",
    "help",
    "fired from work",
]
"""What does not say how urgent it is."""


@pytest.mark.parametrize(
    ("text", "means"),
    [
        *((text, "urgent") for text in URGENT),
        *((text, "calm") for text in CALM),
        *((text, "back") for text in BACK),
        *((text, None) for text in ABOUT),
    ],
)
def test_words_say_how_urgent_it_is(text: str, means: str | None) -> None:
    with Catalogs().context(), Catalogs().use_locale("zh"):
        assert how_urgent(text) == means


def test_only_how_soon_is_no_word_about_what_happened() -> None:
    with Catalogs().context(), Catalogs().use_locale("zh"):
        for text in ("urgent", "很急！", "It's very urgent", "不急", "not urgent", "ok", "求助"):
            assert says_nothing(text), text
        for text in ("很急，工地出事了", "fire!", "救命", "工资没发", "不急，想问社保", "急诊室"):
            assert not says_nothing(text), text


def test_everyday_words_are_no_cry() -> None:
    for text in ("平安", "我到东莞了", "被扣工资怎么办", "大家都好，没人受伤", "火车票买不到"):
        assert not names_danger(text), text
    for text in ("出车祸了", "accident, my leg is broken", "厂里着火了", "I was beaten"):
        assert names_danger(text), text
