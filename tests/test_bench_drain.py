"""The bench's drain sends everything, with the whole service, and says how it compares."""

import pytest

from tests.bench import drain


async def test_a_small_drain(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "ROUNDS", 1)
    monkeypatch.setattr("bot.service.configure_logging", lambda *_: None)
    (figure,) = await drain.measure_drain(sqlite_url, 20)
    assert figure.ours > 0
    assert figure.floor
    assert "processor a message" in (figure.note or "")
