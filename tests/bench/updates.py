"""Updates as Telegram sends them, before they are decoded."""

import itertools
from typing import Any

from handlers.callbacks import CheckinTap
from tests.bench.population import BOT_ID

_numbers = itertools.count(700_000_000)
_AT = 1_795_000_000


def status_report(chat_id: int) -> dict[str, Any]:
    """A worker writes 平安, "I'm well"."""
    number = next(_numbers)
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "from": _person(chat_id),
            "chat": _chat(chat_id),
            "date": _AT,
            "text": "平安",
        },
    }


def checkin_tap(chat_id: int, checkin_id: int) -> dict[str, Any]:
    """A worker taps "I'm fine" under a check-in."""
    number = next(_numbers)
    answers = {"ok": "平安", "moved": "换地方了", "home": "要回家", "help": "需要帮助"}
    return {
        "update_id": number,
        "callback_query": {
            "id": str(number * 1_000),
            "from": _person(chat_id),
            "chat_instance": str(chat_id),
            "data": CheckinTap(checkin_id=checkin_id, answer="ok").pack(),
            "message": {
                "message_id": checkin_id,
                "from": {"id": BOT_ID, "is_bot": True, "first_name": "Kinroom"},
                "chat": _chat(chat_id),
                "date": _AT,
                "text": "小芳，这周好吗？",
                "reply_markup": {
                    "inline_keyboard": [
                        [
                            {
                                "text": text,
                                "callback_data": CheckinTap(
                                    checkin_id=checkin_id, answer=answer
                                ).pack(),
                            }
                        ]
                        for answer, text in answers.items()
                    ]
                },
            },
        },
    }


def _person(chat_id: int) -> dict[str, Any]:
    return {"id": chat_id, "is_bot": False, "first_name": "小芳", "language_code": "zh-hans"}


def _chat(chat_id: int) -> dict[str, Any]:
    return {"id": chat_id, "first_name": "小芳", "type": "private"}
