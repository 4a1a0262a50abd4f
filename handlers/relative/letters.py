"""What the family is asked and told unasked, and what a worker is told of the family."""

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.keyboards import open_my_data
from handlers.relative.menu import answers, called
from scheduler.letters import Withheld
from storage.family.asking import Asked
from storage.family.ties import Parties

Written = tuple[str, InlineKeyboardMarkup | None] | Withheld


def ask(question_id: int, asked: Asked | None) -> Written:
    """ "Have you heard from …?", unless it need not be asked any more."""
    if asked is None:
        return Withheld("failed", "its question is missing")
    if asked.trouble is not None:
        return Withheld("cancelled", asked.trouble)
    words = _("Have you heard from {name} lately? One tap, and we know.")
    return words.format(name=called(asked.name)), answers(question_id)


def tell(template: str, tie: Parties | None) -> Written:
    """A tie began or ended; no more than that."""
    if tie is None:
        return Withheld("failed", "its tie is missing")
    if template == "kin_agreed":
        if not tie.stands:
            return Withheld("cancelled", "ended before it was sent")
        words = _(
            "{name} has agreed, and can say for you now that all is well. "
            'Under "My data" you can end it any time.'
        )
        return words.format(name=tie.relative or _("Someone of your family")), None
    markup = InlineKeyboardMarkup(inline_keyboard=[[open_my_data()]])
    if template == "kin_stopped":
        words = _(
            '{name} does not speak for you any more. Under "My data" you can invite someone else.'
        )
        return words.format(name=tie.relative or _("Someone of your family")), markup
    words = _("You will not be asked about {name} any more. Thank you for having been there.")
    return words.format(name=called(tie.worker)), markup
