"""What a handler returns: aiogram methods, and the words for times and places in them."""

from collections.abc import Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Any, Final

from aiogram.methods import (
    AnswerCallbackQuery,
    EditMessageReplyMarkup,
    EditMessageText,
    SendMessage,
    TelegramMethod,
)
from aiogram.types import (
    CallbackQuery,
    InlineKeyboardMarkup,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiogram.utils.i18n import get_i18n
from aiogram.utils.i18n import gettext as _
from babel.dates import format_date, format_time, get_timezone_name

from handlers.joined import without_buttons, without_question
from storage.calendar.zone import zone_of

Says = TelegramMethod[Any] | Sequence[TelegramMethod[Any]] | None
Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove
LANGUAGES: Final = ("zh", "en")


def say(chat_id: int, text: str, markup: Markup | None = None) -> SendMessage:
    """A new message. Text goes out as it is: no parse mode, so names cannot become markup."""
    return SendMessage(chat_id=chat_id, text=text, reply_markup=markup)


def replace(
    tap: CallbackQuery, text: str, markup: InlineKeyboardMarkup | None = None
) -> TelegramMethod[Any]:
    """Turn the tapped message into ``text``; where it is out of reach, say it anew.

    Of a message that left as several in one, only what was tapped is replaced.
    """
    if isinstance(tap.message, Message):
        text, markup = without_question(tap.message, tap.data, text, markup)
        return EditMessageText(
            chat_id=tap.message.chat.id,
            message_id=tap.message.message_id,
            text=text,
            reply_markup=markup,
        )
    return say(tap.from_user.id, text, markup)


def take_buttons_off(tap: CallbackQuery) -> list[TelegramMethod[Any]]:
    """Leave the tapped message as it stands, without its buttons."""
    if not isinstance(tap.message, Message):
        return []
    return [
        EditMessageReplyMarkup(
            chat_id=tap.message.chat.id,
            message_id=tap.message.message_id,
            reply_markup=without_buttons(tap.message, tap.data),
        )
    ]


def toast(tap: CallbackQuery, text: str | None = None) -> AnswerCallbackQuery:
    """End the button's waiting, with a short word or none."""
    return AnswerCallbackQuery(callback_query_id=tap.id, text=text)


def in_both(message: str, **values: str) -> str:
    """A sentence in every first language, for someone who has not yet chosen one."""
    i18n = get_i18n()
    return "\n".join(
        i18n.gettext(message, locale=language).format(**values) for language in LANGUAGES
    )


def clock_time(at: datetime, timezone: str) -> str:
    """The hour and minute of ``at`` in the person's zone and language."""
    local = at.astimezone(zone_of(timezone))
    return _hour_and_minute(local.hour, local.minute, get_i18n().current_locale)


@lru_cache(maxsize=2 * 24 * 60)
def _hour_and_minute(hour: int, minute: int, language: str) -> str:
    return format_time(time(hour, minute), "short", locale=language)


def day(at: datetime, timezone: str) -> str:
    """The date of ``at`` in the person's zone and language, with its year."""
    local = at.astimezone(zone_of(timezone))
    return format_date(local, "long", locale=get_i18n().current_locale)


def short_day(at: datetime, timezone: str) -> str:
    """The weekday and date without the year: "Mon 16 Nov"."""
    pattern = {"zh": "M月d日EEEE"}.get(get_i18n().current_locale, "EEE d MMM")
    return format_date(at.astimezone(zone_of(timezone)), pattern, locale=get_i18n().current_locale)


def zone_name(timezone: str) -> str:
    """The zone as people call it: 中国标准时间, Japan Standard Time."""
    name: str = get_timezone_name(
        zone_of(timezone), zone_variant="generic", locale=get_i18n().current_locale
    )
    return name


def language_name(language: str) -> str:
    return {"zh": "中文", "en": "English"}.get(language, language)


def status_name(status: str) -> str:
    """A worker's status in words."""
    return {
        "away": _("working away"),
        "moving": _("on the road"),
        "home": _("at home"),
        "paused": _("taking a break from messages"),
        "left": _("left"),
    }[status]
