"""The menu of those who are nothing but family."""

from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import KinAnswerTap, KinTap
from handlers.keyboards import button
from handlers.say import Markup
from storage.people.who import Who


def called(name: str | None) -> str:
    """The worker's name; words in its place where none is held."""
    return name or _("your family member")


def relative_menu(who: Who) -> tuple[str, Markup]:
    """The first page; for someone who agreed to something but was never named, the way on."""
    if not who.is_relative and not who.name:
        return (
            _("Please open your village's invite link once more to finish."),
            ReplyKeyboardRemove(),
        )
    rows = [[KeyboardButton(text=_("My data"))]]
    if who.is_relative:
        rows.insert(0, [KeyboardButton(text=_("I've heard from my family"))])
        text = _("Heard from your family? One tap here tells us.")
    else:
        text = _('You are not asked about anyone now. Under "My data" you see what is still held.')
    return text, ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, is_persistent=True)


def answers(question_id: int) -> InlineKeyboardMarkup:
    """The three answers; their order is the number one may write instead."""

    def tap(answer: str) -> str:
        return KinAnswerTap(question_id=question_id, answer=answer).pack()

    return InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("Yes, and all is well"), tap("fine"))],
            [button(_("Not lately"), tap("no"))],
            [button(_("Better give them a call"), tap("call"))],
        ]
    )


def fine_button(name: str, kin_id: int) -> InlineKeyboardButton:
    return button(
        _("{name} is fine").format(name=called(name)), KinTap(act="fine", kin_id=kin_id).pack()
    )


def asked_about_button() -> InlineKeyboardButton:
    return button(_("Whom I am asked about"), KinTap(act="mine").pack())
