"""The catalogs as aiogram takes them, compiled in memory when the program starts."""

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiogram.utils.i18n import I18n
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

FOLDER: Final = Path(__file__).parent
DOMAIN: Final = "kinroom"
LANGUAGES: Final = ("zh", "en")
DEFAULT: Final = "zh"


class Catalogs(I18n):
    """aiogram's I18n over the ``.po`` files themselves: there is no build step to forget."""

    def __init__(self) -> None:
        super().__init__(path=FOLDER, default_locale=DEFAULT, domain=DOMAIN)

    @contextmanager
    def context(self) -> Iterator[I18n]:
        """As aiogram's, for its own class: each subclass would have a context of its own."""
        token = I18n.set_current(self)
        try:
            yield self
        finally:
            I18n.reset_current(token)

    def find_locales(self) -> dict[str, gettext.GNUTranslations]:
        return {language: _compile(language) for language in LANGUAGES}


def catalog_file(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def _compile(language: str) -> gettext.GNUTranslations:
    with catalog_file(language).open("rb") as file:
        catalog = read_po(file, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def match_language(code: str | None) -> str | None:
    """The catalog for a language code as Telegram or a browser gives it: ``zh-hans``, ``en-GB``.

    Every Chinese is met with Simplified, the only one there is. ``None`` for a language there is
    no catalog for, and for no code.
    """
    first = (code or "").replace("_", "-").split("-")[0].strip().lower()
    return first if first in LANGUAGES else None
