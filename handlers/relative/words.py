"""Words with which a relative answers."""

from typing import Final

from handlers.words import FINE, plain
from storage.family.asking import Answer

HEARD: Final = frozenset({"家里人来消息了", "有家里人的消息", "heard from them"})
_WORDS: Final[dict[str, Answer]] = {
    **dict.fromkeys(
        (
            *FINE,
            "有",
            "有的",
            "有消息",
            "有联系",
            "联系上了",
            "联系过",
            "通过电话",
            "打过电话",
            "他很好",
            "她很好",
            "很平安",
            "yes, and all is well",
            "he is fine",
            "she is fine",
            "he's fine",
            "she's fine",
            "they are fine",
            "they're fine",
            "heard",
        ),
        "fine",
    ),
    **dict.fromkeys(
        (
            "没有",
            "没",
            "没消息",
            "没有消息",
            "没联系",
            "没联系上",
            "联系不上",
            "最近没有",
            "还没有",
            "不知道",
            "no",
            "not lately",
            "not yet",
            "nothing",
            "no news",
            "2",
        ),
        "no",
    ),
    **dict.fromkeys(
        (
            "打个电话",
            "打电话",
            "请打电话",
            "请打个电话",
            "打电话问问",
            "帮忙打个电话",
            "call",
            "please call",
            "call them",
            "rather call",
            "better call",
            "3",
        ),
        "call",
    ),
}


def as_kin_answer(text: str) -> Answer | None:
    """The answer a relative's message amounts to."""
    return _WORDS.get(plain(text))
