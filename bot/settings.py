"""What the environment and ``.env`` say, read once and frozen."""

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import Refused

PREFIX = "KINROOM_"
VAR = Path("var")

# Read by the tests, never by the program.
_FOR_TESTS = "KINROOM_TEST_"
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}


class BadSettings(Refused):
    """A setting is unknown or cannot be used; the message says which and why, and no secret."""


class Settings(BaseSettings):
    """Every setting, by its name without ``KINROOM_``. Described in ``docs/settings.md``.

    Paths are relative to the working directory. ``telegram_rate`` is in messages a second.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # unknown names are looked for in read_settings, with a better word
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: str = f"sqlite:///{VAR}/kinroom.db"
    http_host: str = "127.0.0.1"
    http_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: str = Field(
        default_factory=lambda known: _local_url(known["http_host"], known["http_port"])
    )
    secret_key: SecretStr | None = None
    telegram_token: SecretStr | None = None
    telegram_api: str = "https://api.telegram.org"
    telegram_webhook: bool = False
    telegram_webhook_secret: SecretStr | None = None
    telegram_rate: Annotated[float, Field(gt=0, le=10_000)] = 30.0
    demo: bool = True
    log_format: Literal["text", "json"] = "text"

    @field_validator("database_url")
    @classmethod
    def _name_the_driver(cls, given: str) -> str:
        try:
            url = make_url(given)
        except (ArgumentError, ValueError):
            raise ValueError("not a database URL, such as sqlite:///var/kinroom.db") from None
        if url.drivername not in _DRIVERS:
            raise ValueError("only sqlite:///FILE and postgresql://… are supported")
        url = url.set(drivername=_DRIVERS[url.drivername])
        if url.drivername.startswith("sqlite"):
            if not url.database or url.database == ":memory:":
                raise ValueError("a file is needed: sqlite:///var/kinroom.db")
        elif "sslmode" in url.query:
            # asyncpg knows libpq's word under another name.
            mode = url.query["sslmode"]
            url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
        return url.render_as_string(hide_password=False)

    @field_validator("public_url", "telegram_api")
    @classmethod
    def _check_url(cls, given: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", given):
            raise ValueError("not an http:// or https:// address without a query")
        return given.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _check_secret_key(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and len(given.get_secret_value()) < 32:
            raise ValueError("at least 32 characters are needed")
        return given

    @field_validator("telegram_token")
    @classmethod
    def _check_token(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not re.fullmatch(
            r"[0-9]+:[A-Za-z0-9_-]+", given.get_secret_value()
        ):
            raise ValueError("not a bot token as BotFather gives it, digits:letters")
        return given

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not re.fullmatch(
            r"[A-Za-z0-9_-]{1,256}", given.get_secret_value()
        ):
            raise ValueError("1 to 256 of A-Z a-z 0-9 _ - are allowed")
        return given

    @model_validator(mode="after")
    def _check_together(self) -> "Settings":
        if self.telegram_webhook and self.telegram_token is None:
            raise BadSettings("KINROOM_TELEGRAM_WEBHOOK is on, but KINROOM_TELEGRAM_TOKEN is empty")
        return self

    @property
    def database(self) -> URL:
        return make_url(self.database_url)

    @property
    def on_sqlite(self) -> bool:
        return self.database.get_backend_name() == "sqlite"

    def secrets(self) -> list[str]:
        """What must never be logged or shown."""
        hidden = (self.secret_key, self.telegram_token, self.telegram_webhook_secret)
        values = [secret.get_secret_value() for secret in hidden if secret is not None]
        return [*values, *([self.database.password] if self.database.password else [])]


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process. Raises :class:`BadSettings`, one line long."""
    try:
        in_file = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    except (OSError, UnicodeDecodeError) as problem:
        raise BadSettings(f"{env_file} cannot be read: {type(problem).__name__}") from None
    _refuse_unknown(os.environ, "the environment")
    _refuse_unknown(in_file, str(env_file))
    try:
        return Settings(_env_file=env_file)
    except ValidationError as problem:
        raise BadSettings(_explain(problem)) from None


def environment_for_tools() -> dict[str, str]:
    """What a program of another house is started with: our environment without our settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _refuse_unknown(names: Iterable[str], where: str) -> None:
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in sorted(names):
        plain = name.upper()
        if not plain.startswith(PREFIX) or plain.startswith(_FOR_TESTS) or plain in known:
            continue
        near = difflib.get_close_matches(plain, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "see docs/settings.md"
        raise BadSettings(f"{name} in {where} is not a setting: {hint}")


def _explain(problem: ValidationError) -> str:
    first: Any = problem.errors(include_url=False, include_input=False, include_context=False)[0]
    name = PREFIX + str(first["loc"][0]).upper()
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{name} cannot be used: {reason[:1].lower()}{reason[1:]}"


def _local_url(host: str, port: int) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  # an address to listen on, not to open
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def terminal_language() -> str:
    """What a terminal reads, by the POSIX names: Chinese in a Chinese one, English elsewhere."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if chosen := os.environ.get(name):
            return "zh" if chosen.lower().startswith("zh") else "en"
    return "en"
