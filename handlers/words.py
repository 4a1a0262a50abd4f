"""Words that do what a button does."""

from functools import lru_cache
from typing import Final

from aiogram.filters import Filter
from aiogram.types import Message
from aiogram.utils.i18n import I18n, get_i18n

FINE: Final = frozenset(
    {
        "平安",
        "没事",
        "没事的",
        "都好",
        "挺好",
        "很好",
        "好",
        "好的",
        "好着呢",
        "我很好",
        "我没事",
        "安好",
        "一切都好",
        "一切顺利",
        "顺利",
        "还好",
        "放心",
        "报平安",
        "嗯",
        "1",
        "ok",
        "okay",
        "fine",
        "good",
        "well",
        "safe",
        "yes",
        "👍",
        "👌",
        "🙏",
        "i'm fine",
        "im fine",
        "i am fine",
        "all good",
        "all well",
        "i'm ok",
        "i am ok",
        "i'm good",
        "i'm safe",
        "doing well",
    }
)
MOVED: Final = frozenset({"换地方了", "换地方", "搬了", "2", "moved", "i moved", "i've moved"})
GOING_HOME: Final = frozenset(
    {"要回家", "回家", "要回家了", "我要回家", "3", "going home", "go home", "home"}
)
NEED_HELP: Final = frozenset(
    {"需要帮助", "求助", "帮帮我", "救命", "4", "help", "i need help", "need help", "sos"}
)
_ANSWERS: Final = {
    word: answer
    for words, answer in (
        (FINE, "ok"),
        (MOVED, "moved"),
        (GOING_HOME, "home"),
        (NEED_HELP, "help"),
    )
    for word in words
}
MENU: Final = frozenset({"menu", "菜单", "主菜单", "/menu", "/help", "帮助", "0"})
BACK: Final = frozenset({"back", "返回", "cancel", "取消", "算了", "/cancel", "stop", "退出"})
AGREE: Final = frozenset({"同意", "agree", "yes", "ok", "好", "好的", "可以", "1", "i agree"})
DECLINE: Final = frozenset({"不同意", "decline", "no", "不", "不要", "2", "不用了"})
MY_DATA: Final = frozenset({"我的资料", "资料", "my data", "/mydata", "data"})
SKIP: Final = frozenset({"跳过", "skip", "不说", "以后再说", "later"})


def plain(text: str) -> str:
    """As it is compared: case, outer spaces and closing punctuation do not count."""
    return text.strip().strip("。．.!！~～,，?？ ").replace("’", "'").casefold()


class Said(Filter):
    """The message is one of these words, or the label of a button in any language.

    ``labels`` are catalog sentences: a button pressed after the language changed still works.
    Words count while no dialog waits for an answer, where they might be one; labels, and words
    that are ``always`` meant, count everywhere.
    """

    def __init__(
        self, words: frozenset[str] | set[str] = frozenset(), *labels: str, always: bool = False
    ) -> None:
        self._words = frozenset(words)
        self._labels = labels
        self._always = always

    async def __call__(self, message: Message, raw_state: str | None = None) -> bool:
        text = message.text
        if text is None:
            return False
        if (self._always or raw_state is None) and plain(text) in self._words:
            return True
        return is_label(text, *self._labels)


def is_label(text: str, *labels: str) -> bool:
    """Whether the text is one of these button labels, in any language and case."""
    i18n, said = get_i18n(), plain(text)
    return any(said in _in_every_language(i18n, label) for label in labels)


@lru_cache
def _in_every_language(i18n: I18n, label: str) -> frozenset[str]:
    return frozenset(
        plain(i18n.gettext(label, locale=language)) for language in i18n.available_locales
    )


def as_answer(text: str) -> str | None:
    """The check-in answer a message amounts to: ``ok moved home help``, or ``None``."""
    return _ANSWERS.get(plain(text))
