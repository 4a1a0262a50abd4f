"""The catalogs: complete, fillable, and the only place a sentence comes from."""

import shutil
from pathlib import Path

import pytest
from aiogram.utils.i18n import gettext, ngettext
from babel.messages.catalog import Catalog

from locales import checking
from locales.catalogs import DEFAULT, LANGUAGES, Catalogs, match_language
from locales.checking import compare, fields
from locales.extraction import extract


@pytest.fixture(scope="module")
def catalogs() -> Catalogs:
    return Catalogs()


def test_every_language_is_complete() -> None:
    assert checking.check() == []


def test_without_msgfmt_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert checking._check_form("zh") == []


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("zh", "zh"),
        ("zh-CN", "zh"),
        ("zh-hans", "zh"),
        ("zh-hant", "zh"),
        ("zh-TW", "zh"),
        ("zh_Hans_CN", "zh"),
        ("ZH", "zh"),
        ("en", "en"),
        ("en-GB", "en"),
        ("fr", None),
        ("zhx", None),
        ("", None),
        (None, None),
    ],
)
def test_language_codes_find_their_catalog(code: str | None, language: str | None) -> None:
    assert match_language(code) == language


def test_the_catalogs_speak(catalogs: Catalogs) -> None:
    assert set(catalogs.available_locales) == set(LANGUAGES)
    assert DEFAULT in LANGUAGES
    singular, plural = next(
        message.id for message in extract() if isinstance(message.id, (tuple, list))
    )
    with catalogs.context(), catalogs.use_locale("en"):
        assert ngettext(singular, plural, 1) == singular
        assert ngettext(singular, plural, 2) == plural
    words = next(m.id for m in extract() if isinstance(m.id, str) and len(m.id) > 20)
    with catalogs.context(), catalogs.use_locale("zh"):
        assert gettext(words) != words


def test_an_unknown_sentence_is_shown_as_it_is(catalogs: Catalogs) -> None:
    assert catalogs.gettext("no such sentence", locale="zh") == "no such sentence"


def _problems(template: dict[object, object], translated: dict[object, object]) -> list[str]:
    source, catalog = Catalog(), Catalog(locale="zh")
    for key in template:
        source.add(key, None)  # type: ignore[arg-type]
    for key, words in translated.items():
        catalog.add(key, words)  # type: ignore[arg-type]
    return compare("zh", source, catalog)


@pytest.mark.parametrize(
    ("key", "words", "says"),
    [
        ("Hi {name}", "你好", "placeholders"),
        ("Hi {name}", "你好 {nmae}", "placeholders"),
        ("Hi {name}", "你好 {name", "braces do not match"),
        ("Hi {name}", "", "not translated"),
        ("Hi", "你好 ", "white space"),
        ("Hi", "你好 {}", "braces do not match"),
        (("{n} case", "{n} cases"), ("件",), "placeholders"),
        (("{n} case", "{n} cases"), ("{n} 件", "{n} 件"), "2 forms instead of 1"),
    ],
)
def test_what_check_finds(key: object, words: object, says: str) -> None:
    (problem,) = _problems({key: None}, {key: words})
    assert says in problem


def test_missing_and_obsolete() -> None:
    problems = _problems({"new": None}, {"old": "旧"})
    assert [problem.split(":")[1] for problem in problems] == [
        " no longer in the source (make locales)",
        " not there yet (make locales)",
    ]


def test_a_good_catalog_passes() -> None:
    assert _problems({"Hi {name}": None}, {"Hi {name}": "{name}，你好"}) == []


def test_fields() -> None:
    assert fields("{a} {b} {{c}}") == {"a", "b"}


def test_extraction_sees_python_and_templates() -> None:
    files = {Path(place).suffix for message in extract() for place, _ in message.locations}
    assert files == {".py", ".html"}
