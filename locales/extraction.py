"""The sentences in the source, as they stand now."""

from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

ROOT: Final = Path(__file__).parent.parent
ROOMS: Final = ("bot", "handlers", "scheduler", "storage")

# N_ marks a sentence that is translated elsewhere.
_KEYWORDS: Final = {
    "_": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    # Ours: a sentence said in every language at once, and the words on a button.
    "in_both": None,
    "is_label": (2,),
}
_METHODS: Final = {
    ".py": ("python", {}),
    ".html": (
        "jinja2.ext:babel_extract",
        {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"},
    ),
}


def extract() -> Catalog:
    """Every sentence in Python and in templates, with the files it stands in."""
    found = Catalog(project="kinroom", charset="utf-8")
    for file in _sources():
        method, options = _METHODS[file.suffix]
        messages = extract_from_file(method, str(file), keywords=_KEYWORDS, options=options)
        for _line, message, _comments, context in messages:
            place = (file.relative_to(ROOT).as_posix(), 1)
            found.add(message, locations=[place], context=context)
    return found


def _sources() -> list[Path]:
    return sorted(
        file for room in ROOMS for file in (ROOT / room).rglob("*") if file.suffix in _METHODS
    )
