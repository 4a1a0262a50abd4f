"""The figures of one process, and of the outbox it serves: ``/metrics``; see docs/metrics.md."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from time import monotonic
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from scheduler.clock import Clock
from scheduler.delivery import Delivery
from storage.database import Database
from storage.outbox.backlog import CLASSES, count_sending, oldest_due, queue_heads, waiting_by_class

_COUNTING_AT_MOST: Final = 1 / 20
"""The share of time that may go into counting what waits: a queue of a million rows is counted
more rarely than it is asked about."""


class Metrics:
    """The figures of one process, in its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.updates = Counter(
            "kinroom_updates",
            "Updates taken in, by channel and by how they ended: done, repeated, set_aside.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.replies = Counter(
            "kinroom_replies",
            "Replies in conversations, by channel and outcome: sent, failed, late.",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self.backlog = Backlog(self.registry)

    def watch(self, delivery: Delivery) -> None:
        """Show what becomes of unsolicited messages, and how each bot's lane stands."""
        self.registry.register(_DeliveryFigures(delivery))

    def watch_clock(self, ticking: Clock, clock: Callable[[], datetime]) -> None:
        """Show how long ago each of the clock's ticks last did its work."""
        self.registry.register(_ClockFigures(ticking, clock))

    def watch_pool(self, db: Database) -> None:
        """Show how many connections to the database are in use."""
        pool = db.engine.sync_engine.pool
        if isinstance(pool, QueuePool):
            self.registry.register(_PoolFigures(pool))

    def exposition(self) -> bytes:
        return generate_latest(self.registry)


class Backlog:
    """What waits in the outbox; the same for every process, since it is the database's."""

    def __init__(
        self, registry: CollectorRegistry, seconds: Callable[[], float] = monotonic
    ) -> None:
        self._seconds = seconds
        self._counting = asyncio.Lock()
        self._counted_at: float | None = None
        self._not_before = 0.0
        self.rows = Gauge(
            "kinroom_outbox_rows",
            "Messages of the outbox that are not finished, by state: queued, sending.",
            ["state"],
            registry=registry,
        )
        self.queued = Gauge(
            "kinroom_outbox_queued",
            "Messages that are queued, due or not, by class.",
            ["class"],
            registry=registry,
        )
        self.oldest = Gauge(
            "kinroom_outbox_oldest_due_seconds",
            "How long the longest overdue message has waited; 0: none is due.",
            registry=registry,
        )
        self.oldest_of = Gauge(
            "kinroom_outbox_class_oldest_due_seconds",
            "How long the longest overdue message of a class has waited; 0: none is due.",
            ["class"],
            registry=registry,
        )
        self.age = Gauge(
            "kinroom_outbox_counted_seconds_ago",
            "How old the figures of the outbox are: a long queue is counted more rarely.",
            registry=registry,
        )
        self.age.set_function(self._age)

    def _age(self) -> float:
        return float("nan") if self._counted_at is None else self._seconds() - self._counted_at

    async def count(self, db: Database, now: datetime) -> None:
        """Count anew, unless the last time was too short ago for what it took.

        Raises the database's errors.
        """
        if self._counting.locked() or self._seconds() < self._not_before:
            return
        async with self._counting:
            began = self._seconds()
            async with db.read() as tx:
                queued = await waiting_by_class(tx)
                sending = await count_sending(tx)
                heads = await queue_heads(tx)
            self._counted_at = self._seconds()
            took = self._counted_at - began
            self._not_before = self._counted_at + took * (1 / _COUNTING_AT_MOST - 1)
        self.rows.labels("queued").set(sum(queued.values()))
        self.rows.labels("sending").set(sending)
        self.oldest.set(oldest_due(heads, now) or 0.0)
        for priority, name in CLASSES.items():
            of_class = [head for head in heads if head.priority == priority]
            self.queued.labels(name).set(queued[name])
            self.oldest_of.labels(name).set(oldest_due(of_class, now) or 0.0)


class _DeliveryFigures(Collector):
    def __init__(self, delivery: Delivery, seconds: Callable[[], float] = monotonic) -> None:
        self._delivery = delivery
        self._seconds = seconds

    def collect(self) -> Iterator[Metric]:
        yield self._attempts()
        lanes = self._delivery.lanes
        in_flight = GaugeMetricFamily(
            "kinroom_lane_in_flight", "Messages a bot is sending right now.", labels=["bot"]
        )
        rate = GaugeMetricFamily(
            "kinroom_lane_rate", "Messages a second a bot may send; 0: no limit.", labels=["bot"]
        )
        left = CounterMetricFamily(
            "kinroom_lane_left",
            "Unsolicited messages that left through a bot of this process: its pace.",
            labels=["bot"],
        )
        held = GaugeMetricFamily(
            "kinroom_lane_held_seconds",
            "For how long a bot still waits because the channel told it to, or is out of reach.",
            labels=["bot"],
        )
        stopped = GaugeMetricFamily(
            "kinroom_lane_stopped",
            "1: nothing leaves through the bot until a restart: its token is refused.",
            labels=["bot"],
        )
        now = self._seconds()
        for bot_id, lane in lanes.items():
            bot = [str(bot_id)]
            in_flight.add_metric(bot, lane.in_flight)
            rate.add_metric(bot, lane.rate)
            left.add_metric(bot, lane.departed)
            held.add_metric(bot, lane.held_for(now))
            stopped.add_metric(bot, float(lane.stopped is not None))
        yield from (in_flight, rate, left, held, stopped)

    def _attempts(self) -> Metric:
        attempts = CounterMetricFamily(
            "kinroom_deliveries",
            "What became of unsolicited messages and attempts to send them, by template, result"
            " (sent, again, unknown, failed, expired, cancelled) and reason, in a word.",
            labels=["template", "result", "reason"],
        )
        for (template, result), count in self._delivery.counts.items():
            became, _, reason = result.partition(": ")
            attempts.add_metric([template, became, reason], count)
        return attempts


class _ClockFigures(Collector):
    def __init__(self, ticking: Clock, clock: Callable[[], datetime]) -> None:
        self._ticking = ticking
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "kinroom_clock_tick_age_seconds",
            "How long ago a tick of the clock last did all its work.",
            labels=["tick"],
        )
        now = self._clock()
        for tick, at in self._ticking.last.items():
            ages.add_metric([tick], (now - at).total_seconds())
        yield ages


class _PoolFigures(Collector):
    def __init__(self, pool: QueuePool) -> None:
        self._pool = pool

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "kinroom_database_connections_in_use",
            "Connections to the database that are in use.",
            value=self._pool.checkedout(),
        )
        yield GaugeMetricFamily(
            "kinroom_database_connections",
            "Connections to the database that may be open at once.",
            value=self._pool.size(),
        )
