"""Delivery: what leaves, in which order, what waits, what ends, and what a crash leaves behind."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiogram import exceptions as said
from aiogram.methods import SendMessage
from sqlalchemy import func, select, update

from scheduler.delivery import Delivery
from scheduler.letters import Attached, Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Account, Broadcast, Checkin, Person
from storage.models import Delivery as Row
from storage.outbox.messages import enqueue
from storage.rhythm.rollcalls import plan_rollcall
from tests.fake_channel import FakeSession, Gate, Times, fake_bot
from tests.outbox_people import LANE, WEB, add_account, make_area, make_person, states

HOUR = timedelta(hours=1)
METHOD = SendMessage(chat_id=5, text="?")


@dataclass(frozen=True)
class Rate:
    rate: float = 0.0


async def plain(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
    """Says the template and the number of the attempt."""
    return {
        ready.message.id: Letter(
            [
                SendMessage(
                    chat_id=ready.message.to.chat_id,
                    text=f"{ready.message.template} {ready.message.attempts}",
                    disable_notification=ready.silent,
                )
            ]
        )
        for ready in batch
        if ready.message.to is not None
    }


class Post:
    """A delivery on clocks moved by hand, and what its channels took."""

    def __init__(
        self,
        db: Database,
        now: datetime,
        rates: Mapping[int, float] | None = None,
        render: Any = plain,
        **more: Any,
    ) -> None:
        self.db = db
        self.times = Times(now)
        self.sessions: dict[int, FakeSession] = {}
        bots = {}
        rates = rates or {LANE: 0.0}
        for bot_id in rates:
            bots[bot_id], self.sessions[bot_id] = fake_bot(bot_id)
        self.delivery = Delivery(
            db,
            bots,
            {bot_id: Rate(rate) for bot_id, rate in rates.items()},
            render,
            clock=self.times.clock,
            seconds=self.times.seconds,
            **more,
        )

    @property
    def channel(self) -> FakeSession:
        return self.sessions[LANE]

    async def round(self, turns: int = 1) -> None:
        """One turn and its sends, recorded."""
        for _ in range(turns):
            await self.delivery.turn()
            await self.delivery.settle()


async def put(tx: Tx, person: int, key: str, now: datetime, **more: Any) -> int:
    values: dict[str, Any] = {
        "template": "case_reply",
        "priority": 0,
        "expires_at": now + 24 * HOUR,
    }
    row = await enqueue(tx, person_id=person, dedupe_key=key, now=now, **{**values, **more})
    assert row is not None
    return row


async def column(db: Database, key: str, what: Any) -> Any:
    async with db.read() as tx:
        return await tx.scalar(select(what).where(Row.dedupe_key == key))


async def test_sent_and_check_in_delivered(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        person = await make_person(tx, now, area=area, chat_id=77)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
    post = Post(db, now)
    await post.round()
    assert post.channel.texts() == [(77, "rollcall 1")]
    async with db.read() as tx:
        asked = (await tx.execute(select(Checkin.__table__))).one()
        row = (await tx.execute(select(Row.__table__))).one()
        account = await tx.scalar(select(Account.id).where(Account.person_id == person))
    assert (asked.delivered_at, asked.bot_id, asked.chat_id, asked.message_id) == (now, LANE, 77, 1)
    assert (row.state, row.account_id, row.message_id) == ("sent", account, 1)
    assert (row.finished_at, row.lease_until, row.attempts) == (now, None, 1)
    await post.round()
    assert len(post.channel.taken) == 1
    assert post.delivery.counts["rollcall", "sent"] == 1


async def test_most_urgent_first_then_the_oldest(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        for key, priority, age in (("d", 3, 9), ("c", 1, 0), ("b", 0, 1), ("a", 0, 2)):
            person = await make_person(tx, now)
            await put(
                tx,
                person,
                key,
                now - age * HOUR,
                priority=priority,
                template=key,
                expires_at=now + HOUR,
            )
    post = Post(sqlite_db, now, {LANE: 1.0})  # one at a time
    for _ in range(8):
        await post.round()
        post.times.move(0.55)
    assert [text for _, text in post.channel.texts()] == ["a 1", "b 1", "c 1", "d 1"]


async def test_lane_keeps_its_rate_and_web_does_not_wait(
    sqlite_db: Database, now: datetime
) -> None:
    async with sqlite_db.write() as tx:
        for number in range(40):
            for bot in (LANE, WEB):
                person = await make_person(tx, now, bot_id=bot)
                await put(tx, person, f"{bot}:{number}", now)
    post = Post(sqlite_db, now, {LANE: 30.0, WEB: 0.0})
    await post.round()
    assert len(post.sessions[WEB].taken) == 40
    assert len(post.channel.taken) == 2
    for _ in range(50):
        post.times.move(0.02)
        await post.round()
    assert len(post.channel.taken) == 32
    assert post.delivery.lanes[LANE].departed == 32


async def test_a_stall_never_becomes_a_burst(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        for number in range(20):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(sqlite_db, now, {LANE: 30.0})
    await post.round()
    claimed = post.delivery.lanes[LANE].in_flight
    assert (len(post.channel.taken), claimed) == (2, 6)
    post.times.move(2)
    await post.round()
    assert len(post.channel.taken) == 4
    await post.delivery.stop()
    found = [state for state, _ in (await states(sqlite_db)).values()]
    assert (found.count("sent"), found.count("queued")) == (4, 16)


async def test_conversation_goes_first_and_the_outbox_makes_room(
    sqlite_db: Database, now: datetime
) -> None:
    async with sqlite_db.write() as tx:
        for number in range(9):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(sqlite_db, now, {LANE: 30.0})
    for _ in range(6):
        post.delivery.spoke(LANE, 5)
    taken = []
    for _ in range(30):
        await post.round()
        taken.append(len(post.channel.taken))
        post.times.move(0.01)
    assert taken[19:25] == [0, 0, 1, 1, 1, 2]
    assert taken[-1] == 3


async def test_chat_keeps_its_pace_and_its_order(sqlite_db: Database, now: datetime) -> None:
    async with sqlite_db.write() as tx:
        person = await make_person(tx, now)
        for number in range(6):
            await put(tx, person, str(number), now, template=f"n{number}")
    post = Post(sqlite_db, now, {LANE: 1000.0})
    await post.round()
    assert [text for _, text in post.channel.texts()] == ["n0 1", "n1 1", "n2 1"]
    for _ in range(9):
        post.times.move(1)
        await post.round()
    assert [text for _, text in post.channel.texts()] == [f"n{n} 1" for n in range(6)]


async def test_two_messages_to_one_chat_never_overtake(db: Database, now: datetime) -> None:
    gate = Gate()
    async with db.write() as tx:
        person = await make_person(tx, now, chat_id=5)
        await put(tx, person, "first", now, template="first")
        await put(tx, person, "second", now, template="second")
    post = Post(db, now)
    post.channel.say(5, gate)
    await post.delivery.turn()
    await gate.reached.wait()
    assert post.channel.tried == [5]
    gate.open()
    await post.delivery.settle()
    assert [text for _, text in post.channel.texts()] == ["first 1", "second 1"]


@pytest.mark.parametrize(
    ("columns", "template", "reason"),
    [
        ({"consented": False}, "broadcast", "no consent"),
        ({"status": "left"}, "broadcast", "the person has left"),
        ({"status": "paused"}, "checkin", "paused"),
        ({"status": "home"}, "checkin", "at home"),
        ({"erased_at": datetime(2026, 1, 1, tzinfo=UTC)}, "case_reply", "the person has left"),
    ],
)
async def test_what_changed_since_cancels(
    db: Database, now: datetime, columns: dict[str, Any], template: str, reason: str
) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now)
        await put(tx, person, "k", now, template=template)
        await tx.execute(update(Person).values(**columns))
    post = Post(db, now)
    await post.round()
    assert await states(db) == {"k": ("cancelled", reason)}
    assert post.channel.taken == []


async def test_answered_meanwhile_cancels(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        await plan_rollcall(tx, area=area, text="?", by=None, now=now)
        await tx.execute(update(Checkin).values(answered_at=now, answer="ok"))
    post = Post(db, now)
    await post.round()
    assert list((await states(db)).values()) == [("cancelled", "answered before it was sent")]


async def test_night_holds_until_morning_of_the_person(db: Database) -> None:
    evening = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
    quiet: Any = {"quiet_from": 21, "quiet_to": 8}
    async with db.write() as tx:
        lisbon = await make_person(tx, evening, timezone="Europe/Lisbon", chat_id=1, **quiet)
        beijing = await make_person(tx, evening, timezone="Asia/Shanghai", chat_id=2, **quiet)
        awake = await make_person(tx, evening, timezone="America/New_York", chat_id=3, **quiet)
        for person, key in ((lisbon, "lisbon"), (beijing, "beijing"), (awake, "awake")):
            await put(tx, person, key, evening, template="checkin", priority=1)
        await put(tx, lisbon, "urgent", evening, template="rollcall", urgent=True)
        await put(tx, lisbon, "reply", evening, template="case_reply")
    post = Post(db, evening)
    await post.round()
    assert sorted(post.channel.texts()) == [
        (1, "case_reply 1"),
        (1, "rollcall 1"),
        (3, "checkin 1"),
    ]
    silent = {m.text: m.disable_notification for _, m in post.channel.taken}  # type: ignore[attr-defined]
    assert silent == {"case_reply 1": True, "rollcall 1": False, "checkin 1": False}
    assert (await states(db))["lisbon"] == ("queued", "quiet hours")
    assert await column(db, "lisbon", Row.not_before) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert await column(db, "beijing", Row.not_before) == datetime(2026, 11, 23, 0, tzinfo=UTC)
    assert await column(db, "lisbon", Row.attempts) == 0
    post.times.move(10.5 * 3600)
    await post.round()
    assert (await states(db))["lisbon"] == ("sent", None)


async def test_newest_account_on_a_running_channel(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        person = await make_person(tx, now, chat_id=5)
        await put(tx, person, "k", now)
        await add_account(tx, now + HOUR, person, 6, bot_id=99)  # nobody runs this one
        await add_account(tx, now + HOUR / 2, person, 7, bot_id=WEB)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0})
    await post.round(2)
    assert post.sessions[WEB].texts() == [(7, "case_reply 1")]
    assert post.channel.taken == []


async def test_blocked_account_gives_way_to_another(db: Database, now: datetime) -> None:
    blocked = said.TelegramForbiddenError(METHOD, "Forbidden: bot was blocked by the user")
    async with db.write() as tx:
        both = await make_person(tx, now, chat_id=5)
        await add_account(tx, now - HOUR, both, 7, bot_id=WEB)
        await put(tx, both, "both", now)
        one = await make_person(tx, now, chat_id=8)
        await put(tx, one, "one", now)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0})
    post.channel.say(5, blocked)
    post.channel.say(8, blocked)
    await post.round()
    post.times.move(1)
    await post.round(2)
    assert post.sessions[WEB].texts() == [(7, "case_reply 1")]
    assert await states(db) == {"both": ("sent", None), "one": ("failed", "blocked")}
    async with db.read() as tx:
        found = await tx.execute(select(Account.chat_id, Account.state))
        assert {row.chat_id: row.state for row in found} == {
            5: "blocked",
            7: "reachable",
            8: "blocked",
        }


async def test_unknown_channel_waits_nobody_fails(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, bot_id=99), "elsewhere", now)
        await put(tx, await make_person(tx, now, chat_id=0), "nobody", now)
    post = Post(db, now)
    await post.round()
    assert await states(db) == {"elsewhere": ("queued", None), "nobody": ("failed", "no account")}


async def test_429_of_a_chat_holds_that_chat_only(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for chat in (5, 6):
            await put(tx, await make_person(tx, now, chat_id=chat), str(chat), now)
    post = Post(db, now)
    post.channel.say(5, said.TelegramRetryAfter(METHOD, "Too Many Requests", 7))
    await post.round()
    assert post.channel.texts() == [(6, "case_reply 1")]
    post.times.move(6.9)
    await post.round()
    assert len(post.channel.taken) == 1
    post.times.move(0.1)
    await post.round()
    assert post.channel.texts()[1] == (5, "case_reply 1")  # throttling is not an attempt
    assert await states(db) == {"5": ("sent", None), "6": ("sent", None)}


async def test_429_of_the_bot_holds_the_lane_exactly(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for number in range(6):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(db, now, at_once=3)
    post.channel.always(lambda _m: said.TelegramRetryAfter(METHOD, "Too Many Requests", 7))
    await post.round(5)
    assert len(post.channel.tried) == 5
    post.channel.always(lambda _m: None)
    post.times.move(6.9)
    await post.round(2)
    assert len(post.channel.tried) == 5
    post.times.move(0.1)
    await post.round(2)
    assert len(post.channel.taken) == 6


async def test_wrong_token_stops_the_lane_and_keeps_the_rows(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        for number in range(2):
            await put(tx, await make_person(tx, now), str(number), now)
    post = Post(db, now, at_once=1)
    post.channel.always(lambda _m: said.TelegramUnauthorizedError(METHOD, "Unauthorized"))
    await post.round(3)
    assert len(post.channel.tried) == 1
    assert post.delivery.running() == []
    assert await states(db) == {
        "0": ("queued", "the channel refuses the bot's token"),
        "1": ("queued", None),
    }


async def test_refused_connection_is_repeated(db: Database, now: datetime) -> None:
    import aiohttp

    from tests.test_outcomes import KEY, network

    refused = network(aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "no")))
    async with db.write() as tx:
        await put(tx, await make_person(tx, now), "k", now, template="broadcast", priority=3)
    post = Post(db, now)
    post.channel.always(lambda _m: refused)
    await post.round(2)
    assert len(post.channel.tried) == 1
    assert await states(db) == {"k": ("queued", "no connection to the channel")}
    post.channel.always(lambda _m: None)
    post.times.move(0.5)
    await post.round()
    assert post.channel.texts()[0][1] == "broadcast 1"


@pytest.mark.parametrize(
    ("template", "after"),
    [("broadcast", ("unknown", "no answer from the channel")), ("checkin", ("sent", None))],
)
async def test_lost_answer_is_for_the_class_to_decide(
    db: Database, now: datetime, template: str, after: tuple[str, str | None]
) -> None:
    lost = said.TelegramNetworkError(METHOD, "Request timeout error")
    lost.__cause__ = TimeoutError()
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now, template=template)
    post = Post(db, now)
    post.channel.say(5, lost)
    await post.round()
    post.times.move(2)
    await post.round()
    assert await states(db) == {"k": after}


async def test_server_error_backs_off_refusal_ends(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "again", now)
        await put(tx, await make_person(tx, now, chat_id=6), "never", now)
    post = Post(db, now)
    trouble = said.TelegramServerError(METHOD, "Internal Server Error")
    post.channel.say(5, trouble, trouble)
    post.channel.say(6, said.TelegramBadRequest(METHOD, "Bad Request: message is too long"))
    tries = []
    for _ in range(8):
        await post.round()
        tries.append(post.channel.tried.count(5))
        post.times.move(1)
    assert tries == [1, 1, 2, 2, 2, 2, 3, 3]
    assert await states(db) == {
        "again": ("sent", None),
        "never": ("failed", "refused: message is too long"),
    }


async def test_moved_chat_is_followed(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=-5), "k", now)
    post = Post(db, now)
    post.channel.say(-5, said.TelegramMigrateToChat(METHOD, "upgraded", -1005))
    await post.round(2)
    assert post.channel.texts() == [(-1005, "case_reply 1")]


async def test_crash_again_or_unknown_by_class(db: Database, now: datetime) -> None:
    gate = Gate()
    async with db.write() as tx:
        for key in ("broadcast", "checkin", "rollcall", "case_reply", "case_new", "help_urgent"):
            person = await make_person(tx, now, chat_id=5 if key == "broadcast" else None)
            await put(tx, person, key, now, template=key)
    dead = Post(db, now)
    dead.channel.always(lambda _m: None)
    for chat in await _chats(db):
        dead.channel.say(chat, gate)
    await dead.delivery.turn()
    await gate.reached.wait()
    assert {state for state, _ in (await states(db)).values()} == {"sending"}
    assert await column(db, "checkin", Row.attempts) == 1  # before the request left

    early = Post(db, now + timedelta(seconds=74))
    await early.round()
    assert early.channel.taken == []  # another process may be at it
    late = Post(db, now + timedelta(seconds=76))
    await late.round()
    assert {text for _, text in late.channel.texts()} == {
        "checkin 2",
        "rollcall 2",
        "case_reply 2",
        "case_new 2",
        "help_urgent 2",
    }
    assert (await states(db))["broadcast"] == ("unknown", "interrupted while it was being sent")

    # The first process was only slow: what it knows is still written, and nothing goes back.
    gate.open()
    await dead.delivery.settle()
    assert {state for state, _ in (await states(db)).values()} == {"sent"}


async def _chats(db: Database) -> Sequence[int]:
    async with db.read() as tx:
        return (await tx.execute(select(Account.chat_id))).scalars().all()


async def test_start_on_sqlite_needs_no_lease(sqlite_db: Database, now: datetime) -> None:
    gate = Gate()
    async with sqlite_db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
        await tx.execute(update(Row).values(state="sending", attempts=1, lease_until=now + HOUR))
    post = Post(sqlite_db, now)
    post.channel.say(5, gate)
    await post.delivery.start()
    await asyncio.wait_for(gate.reached.wait(), 5)
    gate.open()
    await post.delivery.stop()
    assert post.channel.texts()[0][1] == "case_reply 2"


async def test_loop_wakes_by_nudge_and_stops_with_all_recorded(db: Database, now: datetime) -> None:
    gate = Gate()
    post = Post(db, now)
    post.channel.say(5, gate)
    await post.delivery.start()
    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
        tx.after_commit(post.delivery.nudge)
    await asyncio.wait_for(gate.reached.wait(), 5)
    stopping = asyncio.create_task(post.delivery.stop())
    await asyncio.sleep(0)
    gate.open()
    await stopping
    assert await states(db) == {"k": ("sent", None)}


async def test_database_away_keeps_outcomes(db: Database, now: datetime) -> None:
    async with db.write() as tx:
        await put(tx, await make_person(tx, now), "k", now)
    post = Post(db, now)
    await post.delivery.turn()
    write = db.write
    db.write = _away  # type: ignore[assignment,method-assign]
    with pytest.raises(ConnectionError):
        await post.delivery.settle()
    db.write = write  # type: ignore[method-assign]
    await post.round()
    assert await states(db) == {"k": ("sent", None)}
    assert len(post.channel.taken) == 1


def _away() -> Any:
    raise ConnectionError("the database is away")


async def test_withheld_ends_with_its_reason(db: Database, now: datetime) -> None:
    async def refuse(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {batch[0].message.id: Withheld("failed", "its notice is missing")}

    async with db.write() as tx:
        for key in ("a", "b"):
            await put(tx, await make_person(tx, now), key, now)
    await Post(db, now, render=refuse).round()
    assert await states(db) == {
        "a": ("failed", "its notice is missing"),
        "b": ("failed", "nothing was written for it"),
    }


async def test_parts_in_order_and_half_a_letter_is_unknown(db: Database, now: datetime) -> None:
    async def two(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {
            ready.message.id: Letter(
                [SendMessage(chat_id=chat, text=text) for chat, text in ((5, "one"), (6, "two"))]
            )
            for ready in batch
        }

    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now, template="broadcast")
    post = Post(db, now, render=two)
    post.channel.say(6, said.TelegramServerError(METHOD, "Internal Server Error"))
    await post.round()
    assert await states(db) == {"k": ("unknown", "only in part: the channel has trouble")}


async def test_file_of_another_channel_is_brought_over(db: Database, now: datetime) -> None:
    def attached(file_id: str) -> Attached:
        return Attached(
            bot_id=WEB,
            file_id=file_id,
            file_name="voice.ogg",
            send=lambda file: SendMessage(chat_id=5, text=file.data.decode()),  # type: ignore[union-attr]
            instead=SendMessage(chat_id=5, text="it is gone"),
        )

    async def carry(tx: Tx, batch: Sequence[Ready], /) -> Mapping[int, Letter | Withheld]:
        return {batch[0].message.id: Letter([attached("here")])}

    async with db.write() as tx:
        await put(tx, await make_person(tx, now, chat_id=5), "k", now)
    post = Post(db, now, {LANE: 0.0, WEB: 0.0}, render=carry)
    await post.round()
    assert await states(db) == {"k": ("queued", "a file could not be fetched yet")}
    post.sessions[WEB].files["here"] = b"words"
    post.times.move(2)
    await post.round()
    assert post.channel.texts() == [(5, "words")]


async def test_two_deliverers_never_send_one_row_twice(
    postgres_url: str, postgres_db: Database, now: datetime
) -> None:
    async with postgres_db.write() as tx:
        for number in range(150):
            await put(tx, await make_person(tx, now), str(number), now)
    other = Database(postgres_url, postgres_db.vault)
    try:
        posts = [Post(db, now, at_once=20) for db in (postgres_db, other)]
        while (await _queued(postgres_db)) > 0:
            await asyncio.gather(*(post.round() for post in posts))
    finally:
        await other.close()
    sent = [chat for post in posts for chat, _ in post.channel.taken]
    assert len(sent) == len(set(sent)) == 150
    assert all(post.channel.taken for post in posts)


async def _queued(db: Database) -> int:
    async with db.read() as tx:
        return int(
            await tx.scalar(select(func.count()).select_from(Row).where(Row.state == "queued"))
        )


async def test_what_expired_or_was_stopped_ends_at_its_claim(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        stopped = await tx.scalar(
            tx.insert(Broadcast)
            .values(area_id=area.id, text="?", audience=1, at=now, stopped_at=now)
            .returning(Broadcast.id)
        )
        person = await make_person(tx, now, area=area)
        values = {"template": "broadcast", "priority": 3}
        await put(tx, person, "stopped", now, broadcast_id=stopped, **values)
        await put(tx, person, "late", now - HOUR, expires_at=now, **values)
    post = Post(db, now)
    await post.round()
    assert post.channel.tried == []
    assert await states(db) == {
        "stopped": ("cancelled", "the notice was stopped"),
        "late": ("expired", "not sent in time"),
    }
    assert await column(db, "late", Row.attempts) == 0
