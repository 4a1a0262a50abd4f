"""``python -m locales check``: every language complete, and every sentence fillable."""

import shutil
import string
import subprocess
from collections.abc import Iterable

import polib
from babel.messages.catalog import Catalog, Message

from locales.catalogs import LANGUAGES, catalog_file
from locales.extraction import extract
from locales.updating import forms_of, read_catalog


def check() -> list[str]:
    """What is wrong, one line a thing; empty when all is well."""
    template = extract()
    problems = []
    for language in LANGUAGES:
        if not catalog_file(language).exists():
            problems.append(f"{language}: there is no catalog: make locales")
            continue
        catalog = read_catalog(language)
        problems += compare(language, template, catalog)
        problems += _check_form(language)
    return problems


def compare(language: str, template: Catalog, catalog: Catalog) -> list[str]:
    """What ``catalog`` lacks, has too much, or says with other placeholders."""
    wanted = {_key(message) for message in template if message.id}
    held = {_key(message): message for message in catalog if message.id}
    problems = [
        f"{language}: not there yet (make locales): {_short(k)}" for k in wanted - set(held)
    ]
    problems += [
        f"{language}: no longer in the source (make locales): {_short(k)}"
        for k in set(held) - wanted
    ]
    for key, message in held.items():
        problems += [
            f"{language}: {problem}: {_short(key)}" for problem in _faults(message, catalog)
        ]
    return sorted(problems)


def _faults(message: Message, catalog: Catalog) -> Iterable[str]:
    if message.fuzzy:
        yield "a guess (fuzzy)"
    wanted = 1 if isinstance(message.id, str) else catalog.num_plurals
    ids, forms = forms_of(message.id), forms_of(message.string)
    if len(forms) != wanted:
        yield f"{len(forms)} forms instead of {wanted}"
    try:
        allowed = [fields(text) for text in ids]
    except ValueError as problem:
        yield f"the key's braces do not match ({problem})"
        return
    for number, form in enumerate(forms):
        if not form:
            yield "not translated"
            continue
        try:
            filled = fields(form)
        except ValueError as problem:
            yield f"braces do not match ({problem})"
            continue
        # "One case" may do without {n}; the form for many may not.
        last = number == len(forms) - 1
        if filled not in (allowed[-1:] if last else allowed):
            yield f"placeholders {sorted(filled)} instead of {sorted(allowed[-1])}"
        if form.strip() != form and ids[-1].strip() == ids[-1]:
            yield "white space at an end"


def fields(text: str) -> frozenset[str]:
    """The names in braces, as ``str.format`` reads them. Raises :class:`ValueError`."""
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    if any(not name.isidentifier() for name in names):
        raise ValueError(f"not a name: {names}")
    return frozenset(names)


def _check_form(language: str) -> list[str]:
    file = catalog_file(language)
    if shutil.which("msgfmt"):
        command = ["msgfmt", "--check-format", "--check-domain", "-o", "/dev/null", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return [f"{language}: {line}" for line in done.stderr.splitlines() if done.returncode]
    try:
        polib.pofile(str(file), check_for_duplicates=True)
    except (OSError, ValueError) as problem:
        return [f"{language}: {problem}"]
    return []


def _key(message: Message) -> tuple[str | None, str, str]:
    if isinstance(message.id, str):
        return (message.context, message.id, "")
    return (message.context, message.id[0], message.id[1])


def _short(key: tuple[str | None, str, str]) -> str:
    text = " ".join(key[1].split())
    return text if len(text) <= 60 else f"{text[:59]}…"
