"""What a person may be called here."""

import re
import unicodedata
from typing import Final

from aiogram.utils.i18n import gettext as _

LONGEST: Final = 40
_SPACES: Final = re.compile(r"\s+")
_SENTENCE: Final = re.compile(r"[。！？!?，；;：]")


def check_name(text: str) -> str | None:
    """The name as it is kept, or ``None`` when it is too long, a sentence, or holds no letter.

    Any script is a name, so is one written right to left. Control signs and those that turn the
    writing direction of what follows are taken out.
    """
    kept = "".join(
        sign
        for sign in text
        if unicodedata.category(sign) not in {"Cc", "Cf", "Co", "Cs"} or sign in "\t\n "
    )
    if _SENTENCE.search(text) or text.lstrip().startswith("/"):
        return None
    name = unicodedata.normalize("NFC", _SPACES.sub(" ", kept).strip())
    if not name or len(name) > LONGEST:
        return None
    if not any(unicodedata.category(sign).startswith("L") for sign in name):
        return None
    return name


def name_refused(text: str) -> str:
    """Why this is no name, and what would be."""
    if len(text.strip()) > LONGEST:
        return _("That is a little long. Up to {longest} characters, please.").format(
            longest=LONGEST
        )
    return _("Please write your name in letters or characters.")
