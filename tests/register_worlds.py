"""Worlds for the register, drawn by hypothesis."""

from datetime import datetime, timedelta

from hypothesis import strategies as st

from storage.register.periods import parse_period
from tests.register_world import VILLAGES, Row, World

PERIODS = (
    ("2026-W47", "Asia/Shanghai"),
    ("2026-11", "Asia/Shanghai"),
    ("2026-W53", "Asia/Shanghai"),  # runs into 2027
    ("2026-W13", "Europe/Madrid"),  # ends on a night of 23 hours' day
    ("2026-10", "America/Havana"),  # clocks fall back just after it
    ("2026-W13", "Africa/Cairo"),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Every instant is drawn near a bound that matters; several fall on the bound itself."""
    key, zone = draw(st.sampled_from(PERIODS))
    period = parse_period(key, zone)
    start, end = period.start, period.end
    hour, tick = timedelta(hours=1), timedelta(microseconds=1)
    now = draw(
        st.sampled_from(
            [
                start,
                start + 30 * hour,
                end - 12 * hour,
                end - tick,
                end,
                end + 30 * hour,
                end + 72 * hour,
                end + 600 * hour,
            ]
        )
    )
    bounds = [
        start - 900 * hour,
        start - 30 * hour,
        start,
        start + 29 * hour,
        end - 24 * hour,
        end - 12 * hour,
        end,
        end + 20 * hour,
        now,
    ]
    instants = sorted(
        {bound + by for bound in bounds for by in (-tick, 0 * tick, tick) if bound + by <= now}
    )
    instant = st.sampled_from(instants)
    world = World(period, zone, now)
    for _ in range(draw(st.integers(1, 5))):
        _draw_person(draw, world, instant)
    for _ in range(draw(st.integers(0, 3))):
        _draw_correction(draw, world, instant)
    return world


def _draw_person(draw: st.DrawFn, world: World, instant: st.SearchStrategy[datetime]) -> None:
    person_id = world.add_person()
    area = st.sampled_from(VILLAGES)
    times = sorted(draw(st.lists(instant, min_size=1, max_size=4)))
    row = world.enrol(person_id, draw(area), times[0])
    world.consent(person_id, times[0])
    for at in times[1:]:
        if row["ended_as"] != "withdrawn":
            row["until"] = at
            row["ended_as"] = draw(st.sampled_from(["moved", "withdrawn"]))
            if row["ended_as"] == "withdrawn":
                world.consent(person_id, at, given=False)
                continue
        else:
            world.consent(person_id, at)
        row = world.enrol(person_id, draw(area), at)
    if draw(st.booleans()) and row["ended_as"] == "moved":
        row["until"] = row["ended_as"] = None
    for at in sorted(draw(st.lists(instant, max_size=2))):
        if draw(st.integers(0, 9)) == 0:
            world.consent(person_id, at, given=draw(st.booleans()))
    _in_order(world.consents, person_id)
    world.person(person_id)["consented"] = [
        row for row in world.consents if row["person_id"] == person_id
    ][-1]["given"]
    for at in sorted(draw(st.lists(instant, max_size=3))):
        status = draw(st.sampled_from(["away", "away", "moving", "home", "paused", "left"]))
        world.change(person_id, at, status, draw(st.booleans()))
    _draw_traffic(draw, world, person_id, instant)


def _in_order(rows: list[Row], person_id: int) -> None:
    """Append-only rows come in the order of their times: give one person's rows theirs."""
    places = [i for i, row in enumerate(rows) if row["person_id"] == person_id]
    ordered = sorted((rows[i] for i in places), key=lambda row: row["at"])
    for place, row in zip(places, ordered, strict=True):
        rows[place] = {**row, "id": place + 1}


def _draw_traffic(
    draw: st.DrawFn, world: World, person_id: int, instant: st.SearchStrategy[datetime]
) -> None:
    for _ in range(draw(st.integers(0, 2))):
        created, state_at = sorted(draw(st.tuples(instant, instant)))
        state = draw(st.sampled_from(["reachable", "blocked", "gone"]))
        world.account(person_id, created, state, state_at)
    for _ in range(draw(st.integers(0, 3))):
        evidence = draw(st.sampled_from(["self", "relative", "liaison", "liaison"]))
        success = evidence == "self" or draw(st.booleans())
        world.contact(person_id, draw(instant), evidence, success)
    for _ in range(draw(st.integers(0, 2))):
        due, delivered, answered = sorted(draw(st.tuples(instant, instant, instant)))
        kept = draw(st.integers(0, 2))
        world.checkin(
            person_id,
            due,
            delivered if kept > 0 and delivered - due < timedelta(days=30) else None,
            answered if kept > 1 else None,
            hours=draw(st.sampled_from([1, 48])),
            area_id=draw(st.sampled_from(VILLAGES)),
        )
    for _ in range(draw(st.integers(0, 2))):
        state = draw(st.sampled_from(["queued", "sent", "unknown", "failed", "expired"]))
        world.delivery(person_id, state, None if state == "queued" else draw(instant))


def _draw_correction(draw: st.DrawFn, world: World, instant: st.SearchStrategy[datetime]) -> None:
    """A later row that takes the place of a liaison's, perhaps of an earlier correction."""
    wrong = [row for row in world.contacts if row["evidence"] == "liaison"]
    if not wrong:
        return
    row = draw(st.sampled_from(wrong))
    person_id = (
        row["person_id"]
        if draw(st.integers(0, 4))
        else draw(st.sampled_from([person["id"] for person in world.people]))
    )
    success = draw(st.booleans())
    undone = not success and draw(st.booleans())
    world.contact(
        person_id,
        max(row["at"], draw(instant)),
        "liaison",
        success,
        corrects_id=row["id"],
        outcome="undone" if undone else None,
    )
