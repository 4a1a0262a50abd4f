"""PostgreSQL's own programs, ``pg_dump`` and ``pg_restore``: found, called, and heard."""

import asyncio
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL

from storage.errors import Refused

# Where Debian and its kin put each version, and the others their only one.
_FOLDERS: Final = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
)
_LOCAL: Final = ("", "localhost", "127.0.0.1", "::1")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of PostgreSQL; ``major`` is its version."""

    file: str
    major: int


async def find_tool(name: str, at_least: int, url: URL, beside: str | None) -> Tool:
    """The program ``name`` of the least version that will do.

    Older ones refuse a newer server, newer ones may say what an older server does not know.
    ``beside`` is the folder of the running server's programs, as it says; believed only of a
    server on this machine. Raises :class:`Refused` with what to install.
    """
    found = [tool for file in _candidates(name, url, beside) if (tool := await _ask(file))]
    fitting = sorted((tool for tool in found if tool.major >= at_least), key=lambda t: t.major)
    if fitting:
        return fitting[0]
    package = f"postgresql-client-{at_least} (Debian, Ubuntu) or postgresql{at_least} (others)"
    if not found:
        raise Refused(f"{name} is needed, and not here: install {package}")
    newest = max(tool.major for tool in found)
    raise Refused(
        f"{name} is of version {newest} here, and the database needs {at_least}: install {package}"
    )


def _candidates(name: str, url: URL, beside: str | None) -> list[str]:
    files = [file for file in (shutil.which(name),) if file is not None]
    for pattern in _FOLDERS:
        files += sorted(str(file) for file in Path("/").glob(f"{pattern.lstrip('/')}/{name}"))
    host = url.host or url.query.get("host", "")
    is_local = isinstance(host, str) and (host in _LOCAL or host.startswith("/"))
    if beside is not None and is_local and (file := Path(beside) / name).is_file():
        files.append(str(file))
    return files


async def _ask(file: str) -> Tool | None:
    try:
        code, said, _ = await _run([file, "--version"], {})
    except OSError:
        return None
    version = _VERSION.search(said)
    return Tool(file, int(version[1])) if code == 0 and version else None


async def run_tool(
    tool: Tool, arguments: Sequence[str], url: URL | None, environment: Mapping[str, str]
) -> str:
    """What ``tool`` prints. The password goes by the environment, which only its owner can see.

    Raises :class:`Refused` with what it complained of first.
    """
    settings = {} if url is None else _libpq(url)
    quiet = {"LC_ALL": "C", "PGAPPNAME": "kinroom's tool", "PGCONNECT_TIMEOUT": "10"}
    code, said, complaint = await _run(
        [tool.file, *arguments], {**environment, **quiet, **settings}
    )
    if code != 0:
        name = Path(tool.file).name
        raise Refused(f"{name} did not do it: {_cause(complaint) or f'it ended with {code}'}")
    return said


def _cause(complaint: str) -> str:
    """The first error: what follows is what came of it."""
    if "No space left" in complaint:
        return "the disk is full: free some space, nothing was half done"
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    errors = [line.partition("error:")[2].strip() for line in lines if "error:" in line]
    return next(iter(errors or lines), "")[:300]


async def _run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
    )
    try:
        out, err = await process.communicate()
    except BaseException:
        # Stopped by hand: not to write on after its file is gone.
        if process.returncode is None:
            process.terminate()
            await process.wait()
        raise
    assert process.returncode is not None
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def _libpq(url: URL) -> dict[str, str]:
    """The address in the words of PostgreSQL's own programs."""
    named = {
        "PGHOST": url.host or _query(url, "host"),
        "PGPORT": str(url.port) if url.port else _query(url, "port"),
        "PGUSER": url.username or _query(url, "user"),
        "PGPASSWORD": url.password or _query(url, "password"),
        "PGDATABASE": url.database,
        "PGSSLMODE": _query(url, "ssl"),
    }
    return {name: value for name, value in named.items() if value}


def _query(url: URL, name: str) -> str | None:
    value = url.query.get(name)
    return value if isinstance(value, str) else None
