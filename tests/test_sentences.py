"""No sentence a person sees stands outside the catalogs."""

import ast
from pathlib import Path

import pytest

from tests.sentences import sentences_in_python, sentences_in_script, sentences_in_template

ROOT = Path(__file__).parent.parent
SPEAKING = ("handlers", "bot/channels")

# Words that are not said by us: what people say, and names of languages in themselves.
HEARD = {
    "handlers/days.py": "how people may write days",
    "handlers/times.py": "how people may write times of day",
    "handlers/words.py": "what people may write",
    "handlers/liaison/words.py": "what officers may write",
    "handlers/relative/words.py": "what those at home may write",
    "handlers/worker/typed_choice.py": "how people may write what a button says",
    "handlers/worker/urgency.py": "how people may say that it is urgent",
}
NAMES = {"中文", "English", "Kinroom"}
# Headers, patterns of dates, and errors as Telegram words them.
CODES = {"Lax", "Location", "Origin", "Refresh", "Vary", "EEE d MMM", "M月d日EEEE"}
TELEGRAM = "message is not modified: "


def _files(suffix: str) -> list[Path]:
    return sorted(file for room in SPEAKING for file in (ROOT / room).rglob(f"*{suffix}"))


def test_python_says_nothing_outside_the_catalogs() -> None:
    outside = {}
    for file in _files(".py"):
        name = file.relative_to(ROOT).as_posix()
        found = set(sentences_in_python(file.read_text(encoding="utf-8"))) - NAMES - CODES
        found = {words for words in found if not words.startswith(TELEGRAM)}
        if found and name not in HEARD:
            outside[name] = sorted(found)
    assert outside == {}


def test_no_sentence_hides_in_an_f_string() -> None:
    """There nobody looks for what is to be translated: it would stay English in every language."""
    hidden = [
        f"{file.relative_to(ROOT)}:{text.lineno}"
        for file in _files(".py")
        for text in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in {"_", "ngettext"}
    ]
    assert hidden == []


def test_templates_say_nothing_outside_the_catalogs() -> None:
    outside = {
        file.relative_to(ROOT).as_posix(): found
        for file in _files(".html")
        if (found := set(sentences_in_template(file.read_text(encoding="utf-8"))) - NAMES)
    }
    assert outside == {}


def test_scripts_say_nothing_themselves() -> None:
    outside = {
        file.relative_to(ROOT).as_posix(): found
        for file in _files(".js")
        if (found := sentences_in_script(file.read_text(encoding="utf-8")))
    }
    assert outside == {}
    assert sentences_in_script("x.textContent = 'Nothing here yet';")
    assert sentences_in_script('say("没有网络")')


@pytest.mark.parametrize(
    "source",
    [
        'bot.send_message(1, "We have not heard from you.")',
        'say(chat, text="平安")',
        'say(chat, f"Hello {name}, how are you?")',
        'KeyboardButton(text="Send a photo")',
        'LABEL = "My data"',
        'x = _("Fine") + " and then some"',
        'button("报平安")',
        'say(_("{n}").format(n="two words"))',
    ],
)
def test_a_planted_sentence_is_found(source: str) -> None:
    assert sentences_in_python(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring with words."""',
        'def f():\n    """A docstring with words."""',
        'say(_("We have not heard from you."))',
        'ngettext("{n} person here", "{n} people here", n)',
        'raise ValueError("This is for the log")',
        'log.warning("This is for the log too")',
        'x = text == "two words"',
        'x = data["two words"]',
        'x = "snake_case"',
        'x = {"two words": 1}',
    ],
)
def test_what_is_not_said_is_let_be(source: str) -> None:
    assert sentences_in_python(source) == []


def test_a_planted_word_in_a_template_is_found() -> None:
    assert sentences_in_template("<p>{{ _('Fine') }} Hello</p>") == ["Hello"]
    assert sentences_in_template('<a title="Look here">{{ x }}</a>') == ["Look here"]
    assert sentences_in_template("{% trans %}Fine{% endtrans %}<p>—</p>{# Hello #}") == []
    assert sentences_in_template("<script>let a = 'Hello there';</script>") == []
