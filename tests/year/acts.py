"""What people do in the year: answer, fall silent, move, pause, leave, and look after each other.

Everyone acts through the storage functions that the handlers call, not through a chat: two
thousand chats for a year are another test's matter. Whether and when someone does something
follows from the seed and from what it is about alone, so that neither the order in which a
database gives its rows nor another act changes it.
"""

from datetime import datetime, timedelta
from typing import Final

from storage.database import Tx
from storage.reminders.subscriptions import subscribe
from storage.reminders.topics import list_topics
from storage.rules.kept import find_rule, stop_rule
from tests.year.agenda import DAY, Agenda
from tests.year.lives import Lives
from tests.year.others import Others
from tests.year.reactions import Reactions
from tests.year.world import World

TOPICS: Final = ("wages", "tickets", "subsidy", "certificate", "medical-insurance")


class Acts:
    """Everyone's acts, done as the virtual clock comes to them."""

    def __init__(self, world: World, days: int) -> None:
        self._world = world
        self._agenda = Agenda(world.start + timedelta(days=days))
        self._lives = Lives(world, self._agenda)
        for number in world.workers:
            self._lives.live(number, world.start)
        self.others = Others(world, self._agenda, self._lives, days)
        self.react = Reactions(world, self._agenda).react

    @property
    def at_once(self) -> datetime | None:
        """The next time the program must wake for."""
        return self._agenda.at_once

    def is_waiting(self, now: datetime) -> bool:
        return self._agenda.is_waiting(now)

    async def subscribe_some(self, tx: Tx, now: datetime, *, dated: bool) -> None:
        """A third of the workers choose to be reminded of something; ``dated``: some, of a date.

        The county has stopped the rules of dates that nobody has given: each has its tick every
        day in every zone.
        """
        stopped = ["check-up", "residence-permit", "contract", "school-enrolment"]
        for code in stopped if dated else [*stopped, "certificate"]:
            await stop_rule(tx, await find_rule(tx, self._world.areas["county"], code), now)
        topics = {topic.code: topic for topic in await list_topics(tx)}
        for number, worker in self._world.workers.items():
            draw = self._world.chance("topic", number)
            if draw >= 0.3:
                continue
            topic = topics[TOPICS[int(draw / 0.3 * len(TOPICS))]]
            day = None
            if topic.asks is not None:
                day = (now + (40 + 300 * self._world.chance("date", number)) * DAY).date()
            await subscribe(tx, worker.who(), topic, now, day=day)
            worker.topics.add(topic.id)

    async def apply(self, tx: Tx, now: datetime) -> bool:
        """Do all that came up to ``now``, each at its own time; whether zones or rules changed."""
        changed = self.others.has_notices = False
        for at, number, what, more in self._agenda.take(now):
            of = self._lives if hasattr(self._lives, f"act_{what}") else self.others
            act = getattr(of, f"act_{what}")
            worker = self._world.workers.get(number)
            if worker is None:
                changed |= bool(await act(tx, at, number, *more))
            elif not worker.erased:
                changed |= bool(await act(tx, at, worker, *more))
        return changed
