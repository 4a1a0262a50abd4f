"""How people take what has reached them: who answers, when, and with which words."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from tests.year.agenda import HOUR, Agenda, second
from tests.year.transport import Left
from tests.year.world import Worker, World

ANSWERS: Final = {
    "prompt": (0.9, 0.7, 0.5),
    "slow": (0.35, 0.6, 0.6),
    "busy": (0.5, 0.3, 0.2),
    "fading": (0.9, 0.5, 0.4),
    "silent": (0.02, 0.02, 0.02),
}
"""How likely each kind of person answers the question, the first nudge, those after it."""
_ASKS: Final = {"checkin": 0, "nudge": 1, "nudge_again": 2, "rollcall": 0, "rollcall_nudge": 1}


class Reactions:
    """What follows from a message that left: an act some time later, or none."""

    def __init__(self, world: World, agenda: Agenda) -> None:
        self._world, self._agenda = world, agenda

    def react(self, left: Iterable[Left]) -> None:
        """Let people take note of what has reached them."""
        for message in left:
            worker = self._world.by_id.get(message.person_id)
            if message.template in _ASKS and worker is not None:
                self._answer_perhaps(worker, message)
            elif message.template == "reminder" and worker is not None:
                draw = self._world.chance("reminded", worker.number, message.at)
                if draw < 0.4:
                    said = "done" if draw < 0.2 else "later" if draw < 0.3 else "stop"
                    self._agenda.do(
                        second(message.at + 30 * draw * HOUR), worker.number, "settle", said
                    )
            elif message.template == "kin_ask":
                draw = self._world.chance("kin", message.person_id, message.at)
                if draw < 0.8:
                    said = "fine" if draw < 0.55 else "no" if draw < 0.7 else "call"
                    at = message.at + (0.1 + 10 * draw) * HOUR
                    number = self._world.relatives[message.person_id]
                    self._agenda.do(
                        second(at), number, "vouch", message.person_id, said, at_once=True
                    )

    def _answer_perhaps(self, worker: Worker, message: Left) -> None:
        world = self._world
        about = (worker.number, message.template, message.at)
        likely = ANSWERS[worker.kind][_ASKS[message.template]]
        if worker.kind == "fading":
            likely *= max(0.0, 1 - (message.at - world.start) / timedelta(days=300))
        if world.chance("answers", *about) >= likely:
            return
        delay = world.chance("delay", *about)
        if delay < 0.5 or message.template == "rollcall":
            at = message.at + (0.02 + 4 * delay) * HOUR
        else:  # when they have the time for it, as on other days
            local = message.at.astimezone(worker.zone)
            minutes = (worker.usual - local.hour * 60 - local.minute) % (24 * 60)
            at = message.at + timedelta(minutes=minutes + 40 * (delay - 0.5))
        draw = world.chance("says", *about)
        said = (
            "ok" if draw < 0.95 else "moved" if draw < 0.98 else "home" if draw < 0.995 else "help"
        )
        self._agenda.do(second(at), worker.number, "answer", message.checkin_id, said)
