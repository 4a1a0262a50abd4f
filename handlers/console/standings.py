"""The five standings as a reader sees them: a sign, a letter, and words."""

from dataclasses import dataclass

from aiogram.utils.i18n import gettext as _

from storage.register.expected import REASONS

ORDER = ("heard", "vouched", "reached", "tried", "silent")
CLASSES = ("unanswered", "unreachable", "unasked", "quiet")
IN_TOUCH = frozenset({"heard", "vouched", "reached"})

_SIGNS = {"heard": "●", "vouched": "◐", "reached": "◎", "tried": "–", "silent": "○"}


@dataclass(frozen=True, slots=True)
class Sign:
    """``mark`` is told apart without colour; ``letter`` stands beside it in print."""

    standing: str
    mark: str
    letter: str
    word: str


def sign_of(standing: str, silence: str | None = None) -> Sign:
    """The sign in the reader's language; the word of a silent one says which silence."""
    word = standing_word(standing)
    if silence is not None:
        word = _("{standing}: {why}").format(standing=word, why=silence_word(silence))
    return Sign(standing, _SIGNS[standing], _letter(standing), word)


def cell_signs() -> dict[tuple[str, str | None], Sign]:
    """Every sign a cell can have, made once a page: a grid has more than a thousand cells."""
    kinds = [(standing, None) for standing in ORDER] + [("silent", why) for why in CLASSES]
    return {kind: sign_of(*kind) for kind in kinds}


def blank_words() -> dict[str | None, str]:
    """What a cell without a standing says, by the reason of exclusion."""
    return {reason: not_counted(reason) for reason in (None, *REASONS)}


def standing_word(standing: str) -> str:
    return {
        "heard": _("Heard from"),
        "vouched": _("Family answered"),
        "reached": _("Reached by a liaison"),
        "tried": _("Tried, not reached"),
        "silent": _("Silent"),
    }[standing]


def _letter(standing: str) -> str:
    return {
        "heard": _("H"),
        "vouched": _("F"),
        "reached": _("R"),
        "tried": _("T"),
        "silent": _("S"),
    }[standing]


def silence_word(silence: str) -> str:
    return {
        "unreachable": _("messages don't get through"),
        "unanswered": _("asked, no reply yet"),
        "unasked": _("not asked"),
        "quiet": _("chose to be asked less often"),
    }[silence]


def excluded_word(reason: str) -> str:
    """Why someone on the register is not counted as expected."""
    return {
        "home": _("at home"),
        "paused": _("taking a pause"),
        "withdrawn": _("left, kept as a number only"),
        "too_new": _("joined less than a day ago"),
        "on_hold": _("on hold"),
    }.get(reason.replace(" ", "_"), reason)


def not_counted(reason: str | None) -> str:
    if reason is None:
        return _("not on the register")
    return _("not counted: {why}").format(why=excluded_word(reason))
