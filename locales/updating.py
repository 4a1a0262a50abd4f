"""``python -m locales update``: the catalogs follow the source."""

import io

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from locales.catalogs import LANGUAGES, catalog_file
from locales.extraction import extract

_HEADER = "Kinroom. Keys are the English sentences; change them in the source."
# They would change with every run, or say nothing.
_LEFT_OUT = (
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Generated-By",
    "Report-Msgid-Bugs-To",
    "Last-Translator",
    "Language-Team",
)


def read_catalog(language: str) -> Catalog:
    """The catalog as it stands; an empty one when there is none yet."""
    file = catalog_file(language)
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def update() -> dict[str, int]:
    """Write every catalog anew; how many sentences of each language wait for a translation."""
    template = extract()
    return {language: _update(language, template) for language in LANGUAGES}


def _update(language: str, template: Catalog) -> int:
    known = read_catalog(language)
    fresh = Catalog(
        locale=language,
        project="Kinroom",
        version="1",
        header_comment=f"# {_HEADER}",
        charset="utf-8",
        fuzzy=False,
    )
    waiting = 0
    for message in template:
        if not message.id:
            continue
        old = known.get(message.id, context=message.context)
        words = forms_of(old.string if old is not None else "")
        if language == "en":
            # The keys are English: a changed key must not keep yesterday's sentence.
            words = forms_of(message.id)
        if isinstance(message.id, (tuple, list)):
            words = (words + ("",) * fresh.num_plurals)[: fresh.num_plurals]
        waiting += not all(words)
        fresh.add(
            message.id,
            words[0] if isinstance(message.id, str) else words,
            locations=message.locations,
            context=message.context,
        )
    catalog_file(language).parent.mkdir(parents=True, exist_ok=True)
    catalog_file(language).write_bytes(_write(fresh))
    return waiting


def forms_of(words: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """One sentence, or its plural forms, in one shape."""
    if words is None:
        return ("",)
    return (words,) if isinstance(words, str) else tuple(words) or ("",)


def _write(catalog: Catalog) -> bytes:
    text = io.BytesIO()
    write_po(text, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    lines = text.getvalue().decode().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(tuple(f'"{name}:' for name in _LEFT_OUT))]
    return "".join(kept).encode()
