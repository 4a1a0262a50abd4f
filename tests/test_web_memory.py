"""The small parts of the web chat that need no database."""

from datetime import datetime, timedelta

from bot.channels.web.conversations import Mark
from bot.channels.web.flood import Buckets
from bot.channels.web.memory import MAX_BUBBLES, Memory


class TestMemory:
    def test_the_least_used_is_forgotten_first(self, now: datetime) -> None:
        memory = Memory()
        for number in range(1, 60):
            memory.see(number, f"device {number}", now)
            talk = memory.begin(number, now)
            assert talk is not None
            talk.add({"text": "a" * 1_000_000}, now)
            memory.used(talk, now)
        assert 20 < len(memory) < 40
        assert memory.find(1, now) is None
        assert memory.find(59, now) is not None
        assert memory.chat_of("device 1") is None
        assert memory.chat_of("device 59") == 59

    def test_it_forgets_after_a_day(self, now: datetime) -> None:
        memory = Memory()
        memory.see(1, "device", now)
        memory.begin(1, now)
        assert memory.find(1, now + timedelta(hours=25)) is None

    def test_a_talk_holds_so_many_messages(self, now: datetime) -> None:
        memory = Memory()
        memory.see(1, "device", now)
        talk = memory.begin(1, now)
        assert talk is not None
        for number in range(MAX_BUBBLES + 5):
            talk.add({"text": str(number)}, now)
        assert len(talk.bubbles) == MAX_BUBBLES
        assert talk.last_message_id == MAX_BUBBLES + 5

    def test_nobody_seen_no_talk(self, now: datetime) -> None:
        assert Memory().begin(5, now) is None


class TestSmallParts:
    def test_a_bucket_fills_again(self) -> None:
        buckets = Buckets(burst=2, rate=1)
        assert [buckets.wait("a", 0) for _ in range(3)] == [0, 0, 1]
        assert buckets.wait("b", 0) == 0
        assert buckets.wait("a", 0.5) == 0.5
        assert buckets.wait("a", 1) == 0

    def test_marks_are_read_as_they_are_written(self) -> None:
        assert Mark.parse(str(Mark(5, 7))) == Mark(5, 7)
        assert Mark.parse("") == Mark.parse("a-b") == Mark.parse("1-2-3") == Mark(-1, 0)
