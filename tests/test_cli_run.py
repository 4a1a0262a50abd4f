"""The service as a process: it starts, tells where it is, and goes when it is asked to."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Command
from tests.conftest import SECRET_KEY

ROOT = Path(__file__).parent.parent
WAIT = 60  # s; a machine under load is slow to start a process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(**settings: str) -> "subprocess.Popen[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("KINROOM_")}
    given = {f"KINROOM_{name}": value for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        env=clean | {"PYTHONPATH": str(ROOT)} | given,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def _running(**settings: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A started service and what it printed up to the last line of its greeting."""
    with _start(**settings) as process:
        try:
            said = ""
            assert process.stdout is not None
            for line in process.stdout:
                said += line
                if "Stop with Ctrl-C" in line:
                    break
            yield process, said
        finally:
            process.kill()


def _stop(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, err = process.communicate(timeout=WAIT)
    return process.returncode, err


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=WAIT) as response:
        body: bytes = response.read()
        return body.decode()


def test_it_runs_and_stops(kinroom: Command, database_url: str) -> None:
    port = _free_port()
    settings = {"DATABASE_URL": database_url, "HTTP_PORT": str(port)}
    with _running(**settings) as (process, said):
        assert f"http://127.0.0.1:{port}/chat/?start=d" in said
        assert "demo" in said
        assert json.loads(_get(port, "/healthz")) == {"status": "ok"}
        assert json.loads(_get(port, "/readyz")) == {"status": "ok"}
        assert "kinroom_" in _get(port, "/metrics")
        code, err = _stop(process, signal.SIGTERM)
    assert code == 0, err
    assert "Traceback" not in err
    assert Path("var/secret_key").exists()


def test_a_second_start_makes_no_second_demo(
    kinroom: Command, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"DATABASE_URL": sqlite_url, "HTTP_PORT": str(_free_port())}
    monkeypatch.setenv("KINROOM_DATABASE_URL", sqlite_url)
    for _ in range(2):
        with _running(**settings) as (process, said):
            assert "demo" in said
            assert _stop(process, signal.SIGINT)[0] == 0
    assert kinroom("demo", "remove", "--json").json["people"] == 153


def test_a_port_in_use_is_one_line(kinroom: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with _start(HTTP_PORT=str(taken.getsockname()[1]), DEMO="0") as process:
            _, err = process.communicate(timeout=WAIT)
    assert process.returncode == 1
    assert err.startswith("kinroom: ")
    assert err.endswith("stop the other program, or set KINROOM_HTTP_PORT\n")
    assert err.count("\n") == 1
    assert not Path("var").exists()


def test_a_second_service_on_a_database_is_one_line(kinroom: Command, sqlite_url: str) -> None:
    first = {"DATABASE_URL": sqlite_url, "HTTP_PORT": str(_free_port())}
    with _running(**first), _start(**first | {"HTTP_PORT": str(_free_port())}) as second:
        out, err = second.communicate(timeout=WAIT)
    assert (second.returncode, out) == (1, "")
    assert err.startswith("kinroom: another service runs on the database ")
    assert err.count("\n") == 1


def test_commands_work_beside_the_service(installed: Command, database_url: str) -> None:
    beside = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY, "DEMO": "0"}
    with _running(HTTP_PORT=str(_free_port()), **beside):
        assert installed("area", "add", "V", "Village", "--json").json["code"] == "V"


def test_services_run_side_by_side_on_postgresql(kinroom: Command, postgres_url: str) -> None:
    ports = [_free_port(), _free_port()]
    one, other = ({"DATABASE_URL": postgres_url, "HTTP_PORT": str(port)} for port in ports)
    with _running(**one), _running(**other):
        for port in ports:
            assert json.loads(_get(port, "/readyz")) == {"status": "ok"}


def test_a_bad_setting_stops_the_start(kinroom: Command) -> None:
    with _start(HTTP_PORT="many") as process:
        out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, out) == (1, "")
    assert err.startswith("kinroom: KINROOM_HTTP_PORT cannot be used")
    assert err.count("\n") == 1
