"""Settings are read once, and a mistake is met with one line that says which and why."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.opening import KEY_FILE, find_secret_key, make_secret_key, open_database
from bot.settings import PREFIX, BadSettings, Settings, read_settings
from storage.errors import Refused

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


pytestmark = pytest.mark.usefixtures("no_settings")


def test_defaults_need_nothing() -> None:
    settings = read_settings()
    assert settings.database_url == "sqlite+aiosqlite:///var/kinroom.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.telegram_token is None
    assert settings.demo is True
    assert settings.telegram_rate == 30
    assert settings.telegram_api == "https://api.telegram.org"


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:///x.db", "sqlite+aiosqlite:///x.db"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        ("postgresql+asyncpg://h/d", "postgresql+asyncpg://h/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
    ],
)
def test_database_url_takes_the_usual_forms(
    monkeypatch: pytest.MonkeyPatch, given: str, driver: str
) -> None:
    monkeypatch.setenv("KINROOM_DATABASE_URL", given)
    assert read_settings().database_url == driver


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://u:hunter2@h/d", "only sqlite"),
        ("DATABASE_URL", "hunter2", "not a database URL"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d", "not a database URL"),
        ("DATABASE_URL", "sqlite://", "a file is needed"),
        ("HTTP_PORT", "hunter2", "valid integer"),
        ("HTTP_PORT", "70000", "less than or equal to 65535"),
        ("PUBLIC_URL", "hunter2", "not an http"),
        ("SECRET_KEY", "hunter2", "at least 32 characters"),
        ("TELEGRAM_TOKEN", "hunter2", "not a bot token"),
        ("TELEGRAM_API", "ftp://hunter2", "not an http"),
        ("TELEGRAM_WEBHOOK", "hunter2", "valid boolean"),
        ("TELEGRAM_WEBHOOK_SECRET", "hunter2!", "1 to 256"),
        ("TELEGRAM_RATE", "0", "greater than 0"),
        ("DEMO", "hunter2", "valid boolean"),
        ("LOG_FORMAT", "hunter2", "'text' or 'json'"),
    ],
)
def test_bad_value_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(BadSettings) as refused:
        read_settings()
    line = str(refused.value)
    assert line.startswith(f"KINROOM_{name} cannot be used: ")
    assert says in line
    assert "hunter2" not in line
    assert "\n" not in line


def test_unknown_name_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_HTTP_PROT", "1")
    with pytest.raises(BadSettings, match="KINROOM_HTTP_PROT in the environment is not a setting"):
        read_settings()


def test_unknown_name_in_the_file() -> None:
    Path(".env").write_text("KINROOM_DEMOO=0\nOTHER=1\n")
    with pytest.raises(BadSettings, match=r"KINROOM_DEMOO in \.env .* did you mean KINROOM_DEMO\?"):
        read_settings()


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("KINROOM_HTTP_PORT=9000\nKINROOM_DEMO=0\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("KINROOM_HTTP_PORT", "9001")
    settings = read_settings()
    assert (settings.http_port, settings.demo) == (9001, False)
    assert settings.public_url == "http://127.0.0.1:9001"


def test_names_for_tests_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TEST_DATABASE_URL", "postgresql://h/d")
    read_settings()


def test_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", "")
    assert read_settings().telegram_token is None


def test_webhook_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_WEBHOOK", "1")
    with pytest.raises(BadSettings, match="KINROOM_TELEGRAM_TOKEN is empty"):
        read_settings()


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8080"), ("::1", "http://[::1]:8080"), ("h", "http://h:8080")],
)
def test_public_url_can_be_opened(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    monkeypatch.setenv("KINROOM_HTTP_HOST", host)
    assert read_settings().public_url == url


def test_settings_are_frozen_and_hide_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINROOM_TELEGRAM_TOKEN", "42:AbcdefghijklmnopqrstuvwxyzABCDEFGHI")
    monkeypatch.setenv("KINROOM_DATABASE_URL", "postgresql://u:hunter2@h/d")
    settings = read_settings()
    with pytest.raises(ValidationError):
        settings.demo = False  # type: ignore[misc]
    assert "Abcdef" not in repr(settings.telegram_token)
    assert settings.secrets() == ["42:AbcdefghijklmnopqrstuvwxyzABCDEFGHI", "hunter2"]


def test_every_setting_is_documented() -> None:
    page = DOCS.read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"`KINROOM_{name.upper()}`" not in page]
    assert missing == []


def test_secret_key_is_made_once_and_kept_private() -> None:
    first = make_secret_key()
    assert len(first) >= 32
    assert make_secret_key() == first
    assert find_secret_key(read_settings()) == first
    assert KEY_FILE.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in KEY_FILE.parent.iterdir()] == ["secret_key"]


async def test_lost_key_is_told_and_no_new_one_made() -> None:
    settings = read_settings()
    opened = await open_database(settings, bring_up=True)
    await opened.db.close()
    KEY_FILE.unlink()
    with pytest.raises(Refused, match="var/secret_key is gone"):
        await open_database(settings, bring_up=True)
    assert not KEY_FILE.exists()


async def test_another_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await open_database(read_settings(), bring_up=True)
    await opened.db.close()
    monkeypatch.setenv("KINROOM_SECRET_KEY", "k" * 32)
    with pytest.raises(Refused, match="not the one this database was written with"):
        await open_database(read_settings())


async def test_nothing_is_made_unasked() -> None:
    with pytest.raises(Refused, match="there is no database at"):
        await open_database(read_settings())
    assert not KEY_FILE.parent.exists()
