"""The house of design.md §3: five rooms, one direction, and nothing read from the environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A room may use those after it. The words may be used by all that speak, and use nobody.
ROOMS = ("bot", "handlers", "scheduler", "storage")
WORDS = "locales"
LONGEST = 330


def _files(*rooms: str) -> list[Path]:
    return sorted(file for room in rooms for file in (ROOT / room).rglob("*.py"))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _room(module: str) -> str:
    return module.split(".")[0]


def _allowed(room: str) -> set[str]:
    if room == WORDS:
        return {WORDS}
    below = set(ROOMS[ROOMS.index(room) :])
    return below | {WORDS} if room in {"bot", "handlers"} else below


def broken_imports(room: str, source: str) -> list[str]:
    """Modules of our own that ``source``, a file of ``room``, may not import."""
    ours = {*ROOMS, WORDS, "tests"}
    return [
        module
        for module in _imports(ast.parse(source))
        if _room(module) in ours and _room(module) not in _allowed(room)
    ]


@pytest.mark.parametrize("room", [*ROOMS, WORDS])
def test_imports_go_one_way(room: str) -> None:
    wrong = {
        f"{file.relative_to(ROOT)}: {module}"
        for file in _files(room)
        for module in broken_imports(room, file.read_text(encoding="utf-8"))
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("storage", "from handlers.words import FINE"),
        ("storage", "def f():\n    import scheduler.clock"),
        ("scheduler", "from locales.catalogs import Catalogs"),
        ("handlers", "from bot.settings import Settings"),
        ("locales", "import storage"),
        ("bot", "from tests.conftest import vault"),
    ],
)
def test_the_walk_finds_what_it_looks_for(room: str, source: str) -> None:
    assert broken_imports(room, source)


def reads_environment(source: str) -> bool:
    """Whether the source asks the environment, or builds settings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            return True
        if isinstance(node, ast.ImportFrom | ast.Import) and any(
            name.name in {"environ", "getenv", "dotenv", "pydantic_settings"}
            or getattr(node, "module", None) in {"dotenv", "pydantic_settings"}
            for name in node.names
        ):
            return True
    return False


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        file.relative_to(ROOT).as_posix()
        for file in _files(*ROOMS, WORDS)
        if reads_environment(file.read_text(encoding="utf-8"))
    }
    assert readers == {"bot/settings.py"}


def test_reading_the_environment_is_seen() -> None:
    assert reads_environment("import os\nx = os.environ['A']")
    assert reads_environment("from os import getenv")
    assert not reads_environment("import os\nos.getpid()")


def test_there_is_no_sixth_room() -> None:
    code = {file.relative_to(ROOT).parts[0] for file in ROOT.glob("*/*.py")}
    assert code <= {*ROOMS, WORDS, "tests"}
    assert list(ROOT.glob("*.py")) == []


def test_files_can_be_read_in_one_sitting() -> None:
    long = {
        file.relative_to(ROOT).as_posix(): count
        for file in _files(*ROOMS, WORDS)
        # Migrations are written by Alembic; the tables are one list, looked up and not read.
        if "migrations/versions" not in file.as_posix()
        and file.name != "models.py"
        and (count := len(file.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


def test_names_tell_what_is_inside() -> None:
    vague = {"utils", "helpers", "helper", "manager", "common", "misc", "base"}
    assert [file for file in _files(*ROOMS, WORDS) if file.stem in vague] == []
