"""The words that do what a liaison's button does, in both languages, whatever language is set."""

from typing import Any, Final

from aiogram.filters import Filter
from aiogram.types import Message

from handlers.words import plain
from storage.people.who import Who

_TASKS: Final[dict[str, frozenset[str]]] = {
    "today": frozenset({"today", "今天", "今日", "本周", "这周"}),
    "silent": frozenset(
        {"silent", "silence", "not heard from", "没消息", "没有消息", "没消息的人"}
    ),
    "tasks": frozenset({"tasks", "task", "任务", "待办", "待联系"}),
    "inbox": frozenset({"inbox", "cases", "求助", "求助和问题", "诉求", "收件箱", "来信"}),
    "broadcast": frozenset({"broadcast", "notice", "send a notice", "通知", "发通知", "群发"}),
    "rollcall": frozenset({"rollcall", "roll call", "点名", "紧急点名", "问平安"}),
    "invite": frozenset({"invite", "invite people", "link", "qr", "邀请", "邀请链接", "二维码"}),
    "console": frozenset({"console", "后台", "网页", "网页后台", "台账"}),
}
_CRIES: Final = frozenset({"求助"})
"""From someone who is a worker too, these are a call for help and never a way to the inbox."""


def words_of(task: str) -> frozenset[str]:
    """As they are compared: small, without closing punctuation."""
    return _TASKS[task]


class Asks(Filter):
    """The message is one of a task's words."""

    def __init__(self, task: str) -> None:
        self._words = words_of(task)

    async def __call__(self, message: Message, who: Who, **_: Any) -> bool:
        word = plain((message.text or "").removeprefix("/"))
        return word in self._words and not (who.is_worker and word in _CRIES)
