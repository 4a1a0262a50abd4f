"""The page of reminders: what there is, what is on, and when the next comes."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import TopicTap
from handlers.days import NoSuchDay, day_words, month_name, month_words
from handlers.keyboards import button
from storage.calendar.personal_dates import lies_behind, next_time
from storage.reminders.subscriptions import EVERY, Choice
from storage.reminders.topics import TopicInfo

_YEARS_AHEAD: Final = 6
_YEARS_BEHIND: Final = 3
_IN_A_ROW: Final = 6
_CHOSEN: Final = "✓ "


def tap(act: str, topic_id: int = 0, value: str = "") -> str:
    return TopicTap(act=act, topic_id=topic_id, value=value).pack()


def open_topics() -> InlineKeyboardButton:
    """For pages from which the reminders are one tap away."""
    return button(_("Reminders"), tap("list"))


def name_of(topic: TopicInfo) -> str:
    return topic.name(get_i18n().current_locale)


def topics_page(choices: Sequence[Choice]) -> tuple[str, InlineKeyboardMarkup]:
    """All topics, those chosen with a tick."""
    lines: list[str] = []
    if not choices:
        lines.append(_("There is nothing to be reminded of yet."))
    elif not any(choice.chosen for choice in choices):
        lines.append(_("What shall we remind you of? One tap switches it on, one more off."))
    else:
        lines.append(_("You are reminded of:"))
        lines += [f"• {_line(choice)}" for choice in choices if choice.chosen]
        lines += ["", _("One tap switches a reminder on, one more off.")]
    labels = [
        button(
            (_CHOSEN if choice.chosen else "") + name_of(choice.topic),
            tap("off" if choice.chosen else "on", choice.topic.id),
        )
        for choice in choices
    ]
    rows = [list(row) for row in _in_rows(labels, 2)]
    for choice in choices:
        if choice.chosen and choice.topic.asks:
            words = _("Another day: {topic}").format(topic=name_of(choice.topic))
            rows.append([button(words, tap("day", choice.topic.id))])
    return "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows)


def changed_page(note: str, *offers: InlineKeyboardButton) -> tuple[str, InlineKeyboardMarkup]:
    """What was just changed, and what may follow: few buttons, so that the sentence stays in sight
    on a small screen.
    """
    rows = [*offers, button(_("All reminders"), tap("list"))]
    return note, InlineKeyboardMarkup(inline_keyboard=[[each] for each in rows])


def _with_day(choice: Choice) -> str:
    """The topic, and the day as it was understood."""
    said = name_of(choice.topic)
    if choice.day is not None and choice.topic.asks:
        day = day_words(choice.day)
        if lies_behind(choice.topic.asks):
            said = _("{topic}, last on {day}").format(topic=said, day=day)
        else:
            said = _("{topic}, {day}").format(topic=said, day=day)
        if choice.every_months:
            said = _("{topic}, {often}").format(topic=said, often=often_words(choice.every_months))
    return said


def _line(choice: Choice) -> str:
    said = _with_day(choice)
    if choice.next_on is None:
        return _("{topic}: no reminder is to come").format(topic=said)
    return _("{topic}: next on {day}").format(topic=said, day=day_words(choice.next_on))


def often_words(months: int) -> str:
    """How often a date comes again."""
    if months % 12 == 0:
        years = months // 12
        return ngettext("every year", "every {n} years", years).format(n=years)
    return ngettext("every month", "every {n} months", months).format(n=months)


def subscribed_words(choice: Choice, today: date) -> str:
    """What is said when a reminder was just switched on, or its day changed."""
    topic = name_of(choice.topic)
    if choice.next_on is not None:
        return _("Noted: {topic}.\nThe next reminder comes on {day}.").format(
            topic=_with_day(choice), day=day_words(choice.next_on)
        )
    day_meant = choice.day and next_time(choice.day, choice.every_months, today)
    if day_meant is not None and not lies_behind(choice.topic.asks or ""):
        return _("“{topic}” is on. {day} is so near that no reminder comes before it.").format(
            topic=topic, day=day_words(day_meant)
        )
    return _("“{topic}” is on.").format(topic=topic)


def _markup(rows: Iterable[Sequence[InlineKeyboardButton]]) -> InlineKeyboardMarkup:
    back = [button(_("Back"), tap("list"))]
    return InlineKeyboardMarkup(inline_keyboard=[*map(list, rows), back])


def _in_rows(
    buttons: Sequence[InlineKeyboardButton], most: int
) -> list[Sequence[InlineKeyboardButton]]:
    return [buttons[start : start + most] for start in range(0, len(buttons), most)]


def ask_year(
    topic: TopicInfo, today: date, note: str | None = None
) -> tuple[str, InlineKeyboardMarkup]:
    """The question for a topic's day, which may be written or picked: the year first."""
    behind = lies_behind(topic.asks or "")
    if behind:
        asked = _("“{topic}”: when was it last? Write the day, or pick it here.")
        years = range(today.year, today.year - _YEARS_BEHIND, -1)
    else:
        asked = _("“{topic}”: on which day is it? Write it, or pick it here.")
        years = range(today.year, today.year + _YEARS_AHEAD)
    example = _("For example: {day}").format(day=day_words(date(today.year + (not behind), 3, 5)))
    text = "\n".join([*([note, ""] if note else []), asked.format(topic=name_of(topic)), example])
    rows = _in_rows([button(str(year), tap("pick", topic.id, str(year))) for year in years], 3)
    if behind:
        rows.append([button(_("Count from today"), tap("pick", topic.id, today.isoformat()))])
    return text, _markup(rows)


def ask_month(topic: TopicInfo, year: int) -> tuple[str, InlineKeyboardMarkup]:
    buttons = [
        button(month_name(month), tap("pick", topic.id, f"{year}-{month:02}"))
        for month in range(1, 13)
    ]
    text = _("“{topic}”: in which month of {year}?").format(topic=name_of(topic), year=year)
    return text, _markup(_in_rows(buttons, 3))


def ask_number(topic: TopicInfo, year: int, month: int) -> tuple[str, InlineKeyboardMarkup]:
    buttons = [
        button(str(day), tap("pick", topic.id, f"{year}-{month:02}-{day:02}"))
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
    ]
    text = _("“{topic}”: on which day of {month}?").format(
        topic=name_of(topic), month=month_words(year, month)
    )
    return text, _markup(_in_rows(buttons, _IN_A_ROW))


def ask_often(topic: TopicInfo, day: date, note: str) -> tuple[str, InlineKeyboardMarkup]:
    """How often the date comes again."""
    buttons = [
        button(often_words(months), tap("every", topic.id, f"{months}.{day.isoformat()}"))
        for months in EVERY
    ]
    once = button(_("Only once"), tap("every", topic.id, f"0.{day.isoformat()}"))
    return note, _markup([*_in_rows(buttons, 2), [once]])


def no_such_day(found: NoSuchDay) -> str:
    """A clear sentence for 30 February and the 13th month."""
    if not 1 <= found.month <= 12:
        return _("A year has only 12 months.")
    return ngettext("{month} has only {n} day.", "{month} has only {n} days.", found.days).format(
        month=month_words(found.year, found.month), n=found.days
    )
