"""The buttons a worker sees."""

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
)
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import CheckinTap, DataTap, EnrolTap, HelpTap, MoveTap, NewsTap, PlaceTap
from handlers.say import LANGUAGES, language_name
from storage.people.who import Who


def _column(*buttons: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[[button] for button in buttons])


def button(text: str, data: str) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=text, callback_data=data)


def open_my_data() -> InlineKeyboardButton:
    """For whoever has no menu under the place to type: what is held about them, and the way out."""
    return button(_("My data"), DataTap(act="page").pack())


def worker_menu(*, officer: bool = False, relative: bool = False) -> ReplyKeyboardMarkup:
    """The menu under the place to type."""
    rows = [
        [KeyboardButton(text=_("I'm fine"))],
        [KeyboardButton(text=_("My news")), KeyboardButton(text=_("Help"))],
        [KeyboardButton(text=_("Notices and services")), KeyboardButton(text=_("Reminders"))],
        [KeyboardButton(text=_("My data"))],
    ]
    if relative:
        rows.append([KeyboardButton(text=_("I've heard from my family"))])
    if officer:
        rows.append([KeyboardButton(text=_("Liaison's page"))])
    return ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, is_persistent=True)


def own_menu(who: Who) -> ReplyKeyboardMarkup:
    """A worker's menu, with what they are besides."""
    return worker_menu(officer=who.is_officer, relative=who.is_relative)


def language_choice(token: str) -> InlineKeyboardMarkup:
    return _column(
        *(
            button(
                language_name(language),
                EnrolTap(step="lang", language=language, token=token).pack(),
            )
            for language in LANGUAGES
        )
    )


def consent_choice(language: str, token: str, *, more: bool = True) -> InlineKeyboardMarkup:
    def tap(step: str) -> str:
        return EnrolTap(step=step, language=language, token=token).pack()

    rows = [
        [button(_("Agree"), tap("agree"))],
        [button(_("Decline"), tap("decline"))],
    ]
    if more:
        rows.append([button(_("Tell me more first"), tap("more"))])
    return InlineKeyboardMarkup(inline_keyboard=rows)


def place_choice() -> ReplyKeyboardMarkup:
    return ReplyKeyboardMarkup(
        keyboard=[
            [KeyboardButton(text=_("Share where I am"), request_location=True)],
            [KeyboardButton(text=_("Skip"))],
        ],
        resize_keyboard=True,
        one_time_keyboard=True,
    )


def place_skip() -> InlineKeyboardMarkup:
    return _column(button(_("Skip"), PlaceTap(choice="skip").pack()))


def place_or_message() -> InlineKeyboardMarkup:
    """Under a place that no list of places knows."""
    return _column(button(_("It was a message for my liaison"), PlaceTap(choice="message").pack()))


def checkin_answers(checkin_id: int) -> InlineKeyboardMarkup:
    """The four answers; their order is the number one may write instead."""

    def tap(answer: str) -> str:
        return CheckinTap(checkin_id=checkin_id, answer=answer).pack()

    return _column(
        button(_in_an_answer(_("answer|I'm fine")), tap("ok")),
        button(_("I've moved"), tap("moved")),
        button(_("Going home"), tap("home")),
        button(_("I need help"), tap("help")),
    )


def _in_an_answer(label: str) -> str:
    """A label without the word before the bar, which tells translators where it stands."""
    return label.rpartition("|")[2]


def news_choice() -> InlineKeyboardMarkup:
    return _column(
        button(_("Still working away, all well"), NewsTap(status="away").pack()),
        button(_("I've moved somewhere else"), NewsTap(status="place").pack()),
        button(_("I'm on the road"), NewsTap(status="moving").pack()),
        button(_("I'm home now"), NewsTap(status="home").pack()),
    )


def urgency_choice() -> InlineKeyboardMarkup:
    return _column(
        button(_("Urgent, now"), HelpTap(urgency="urgent").pack()),
        button(_("It can wait for an answer"), HelpTap(urgency="calm").pack()),
        button(_("I'm fine after all"), HelpTap(urgency="back").pack()),
    )


def duty_choice(token: str) -> InlineKeyboardMarkup:
    return _column(
        button(_("Agree"), MoveTap(choice="serve", token=token).pack()),
        button(_("Decline"), MoveTap(choice="stay", token=token).pack()),
    )


def join_choice(token: str) -> InlineKeyboardMarkup:
    """Under a worker's consent, for someone known only as family."""
    return _column(
        button(_("Agree"), MoveTap(choice="join", token=token).pack()),
        button(_("Decline"), MoveTap(choice="stay", token=token).pack()),
    )


def move_choice(token: str) -> InlineKeyboardMarkup:
    return _column(
        button(_("Yes, change my village"), MoveTap(choice="move", token=token).pack()),
        button(_("No, leave it as it is"), MoveTap(choice="stay", token=token).pack()),
    )
