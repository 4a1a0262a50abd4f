"""The words that go out unasked: rendered from real rows, for the channel they leave through."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.methods import SendDocument, SendMessage, SendVoice
from aiogram.types import BufferedInputFile
from aiogram.utils.i18n import I18n
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import update

from bot.channels.telegram import telegram_abilities
from handlers.abilities import Abilities
from handlers.callbacks import CheckinTap
from handlers.long_text import cut_text, split_text, utf16_length
from handlers.outgoing import Renderer
from scheduler.attempts import later
from scheduler.letters import Attached, Letter, Ready, Withheld
from storage.database import Database, Tx
from storage.models import Checkin, Delivery, Person, Role
from storage.outbox.broadcasts import plan_broadcast
from storage.outbox.messages import enqueue
from storage.outbox.outcomes import record_outcomes
from storage.people.areas import AreaInfo
from storage.people.who import Who, load_who
from storage.rhythm.rollcalls import end_rollcall, plan_rollcall
from storage.talk.cases import open_case, reply_to_case
from tests.outbox_people import LANE, WEB, add_account, claim_all, make_area, make_person, states
from tests.outbox_post import Post

HOUR = timedelta(hours=1)


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    """In English, whose texts are the message ids: no catalog is needed."""
    (tmp_path / "catalogs").mkdir()
    i18n = I18n(path=tmp_path / "catalogs", default_locale="en", domain="kinroom")
    return Renderer(i18n, {LANE: Abilities(), WEB: Abilities(max_text=200)})


async def rendered(
    db: Database, renderer: Renderer, now: datetime, *, silent: bool = False
) -> list[Letter | Withheld]:
    """What is due now, in the order it leaves."""
    async with db.write() as tx:
        claimed = []
        for lane in (LANE, WEB):
            claimed += await claim_all(tx, now, lane, [LANE, WEB])
        written = await renderer(tx, [Ready(message, silent) for message in claimed])
        return [written[message.id] for message in claimed]


def text_of(letter: Letter | Withheld) -> str:
    assert isinstance(letter, Letter)
    part = letter.parts[-1]
    assert isinstance(part, SendMessage)
    return part.text


async def test_nothing_that_waited_leaves_once_a_roll_call_is_over(
    db: Database, renderer: Renderer, now: datetime
) -> None:
    """Not even before it was called off, nor what was claimed and had to wait again."""
    area = await make_area(db, now)
    async with db.write() as tx:
        for chat in (5, 6, 7):
            await make_person(tx, now, area=area, chat_id=chat)
        call = await plan_rollcall(tx, area=area, text="?", by=None, now=now)
    post = Post(db, now, render=renderer)
    async with db.write() as tx:
        claimed = (await claim_all(tx, now))[0]
        rows = update(Delivery).values(lease_until=now + timedelta(seconds=10))
        await tx.execute(rows.where(Delivery.id == claimed.id))
        rows = update(Delivery).values(state="queued", attempts=0, lease_until=None)
        await tx.execute(rows.where(Delivery.id != claimed.id))
    async with db.write() as tx:
        assert await end_rollcall(tx, call.id, by=None, now=now)
    over = ("cancelled", "the roll call is over")
    for waiting in (2, 3):  # a part of it is not called off by its own loop yet
        await post.round()
        asked = [it for it in (await states(db)).values() if it == over]
        assert len(asked) == waiting
        again = later(claimed, now, None)
        async with db.write() as tx:
            await record_outcomes(tx, [again], [], now)
    assert post.channel.taken == []


def buttons_of(letter: Letter | Withheld) -> list[str]:
    assert isinstance(letter, Letter)
    markup: Any = letter.parts[-1].reply_markup  # type: ignore[union-attr]
    return [button.callback_data for row in markup.inline_keyboard for button in row]


async def worker_and_liaison(
    db: Database, now: datetime, *, liaison_bot: int = LANE
) -> tuple[AreaInfo, Who, Who]:
    area = await make_area(db, now, name="南堵河")
    async with db.write() as tx:
        await make_person(tx, now, area=area, chat_id=5, language="en", name="Fang")
        officer = await make_person(
            tx, now, chat_id=6, bot_id=liaison_bot, name="Li", language="en", is_officer=True
        )
        await tx.execute(
            tx.insert(Role).values(person_id=officer, area_id=area.id, role="liaison", since=now)
        )
        worker = await load_who(tx, LANE, 5)
        liaison = await load_who(tx, liaison_bot, 6)
    assert worker is not None
    assert liaison is not None
    return area, worker, liaison


async def ask(tx: Tx, who: Who, now: datetime, **more: Any) -> int:
    values = {"text": None, "media": None, "file_id": None, "urgent": False, "kind": "question"}
    return (await open_case(tx, who=who, now=now, **{**values, **more})).id


async def test_check_in_greets_by_name_with_four_answers(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    area, worker, _ = await worker_and_liaison(db, now)
    async with db.write() as tx:
        checkin = await tx.scalar(
            tx.insert(Checkin)
            .values(
                person_id=worker.person_id,
                area_id=area.id,
                slot="2026-11-22",
                due_at=now,
                window_until=now + HOUR,
            )
            .returning(Checkin.id)
        )
        await enqueue(
            tx,
            person_id=worker.person_id,
            template="checkin",
            priority=1,
            dedupe_key="k",
            now=now,
            expires_at=now + HOUR,
            checkin_id=checkin,
        )
    (letter,) = await rendered(db, renderer, now)
    assert text_of(letter).startswith("Fang, how has your week been?")
    assert buttons_of(letter) == [
        CheckinTap(checkin_id=checkin, answer=answer).pack()
        for answer in ("ok", "moved", "home", "help")
    ]


async def test_rollcall_and_broadcast_say_who_sends_them(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    area, _, _ = await worker_and_liaison(db, now)
    async with db.write() as tx:
        await plan_rollcall(tx, area=area, text="洪水 <b>", by=None, now=now)
        await plan_broadcast(tx, area=area, text="体检", language=None, by=None, now=now)
    call, notice = await rendered(db, renderer, now)
    assert text_of(call).startswith("南堵河 is asking everyone:\n\n洪水 <b>\n\n")
    assert len(buttons_of(call)) == 4
    assert text_of(notice) == "From 南堵河:\n\n体检"


async def test_case_tells_who_what_and_how_to_answer(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, liaison = await worker_and_liaison(db, now)
    async with db.write() as tx:
        case = await ask(tx, worker, now, text="When is the clinic?")
        await ask(tx, worker, now, text="On Sunday?")
        await reply_to_case(tx, case_id=case, by=liaison, text="At nine.", now=now)
    letters = await rendered(db, renderer, now, silent=True)
    assert [text_of(letter).splitlines()[0] for letter in letters] == [
        "Fang from 南堵河 asks:",
        "Fang from 南堵河 adds:",
        "Li answers you:",
    ]
    assert "When is the clinic?" in text_of(letters[0])
    assert text_of(letters[0]).endswith("Reply to this message, and your answer goes to Fang.")
    assert text_of(letters[2]).endswith("At nine.")
    assert isinstance(letters[0], Letter)
    assert letters[0].parts[0].disable_notification is True  # type: ignore[union-attr]


async def test_urgent_help_says_where_and_by_what_phone(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, _ = await worker_and_liaison(db, now)
    async with db.write() as tx:
        await tx.execute(
            update(Person)
            .where(Person.id == worker.person_id)
            .values(phone=tx.vault.seal("person.phone", worker.ref, "+34600000000"), country="ES")
        )
        await ask(tx, worker, now, urgent=True, kind="help")
    letters = await rendered(db, renderer, now)
    assert text_of(letters[0]).startswith("Fang from 南堵河 needs help, and it is urgent.")
    assert "Where: Spain\nPhone: +34600000000" in text_of(letters[0])


async def test_voice_goes_by_its_id_or_is_fetched(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, liaison = await worker_and_liaison(db, now)
    async with db.write() as tx:
        await ask(tx, worker, now, media="voice", file_id="F", kind="media")
        await add_account(tx, now, liaison.person_id, 9, bot_id=WEB)
        await tx.execute(update(Delivery).values(lane=WEB))
        await ask(tx, worker, now, media="video", file_id="G", kind="media")
    voice, video = await rendered(db, renderer, now)
    for letter, method, kind in ((voice, SendVoice, "voice"), (video, SendDocument, "document")):
        assert isinstance(letter, Letter)
        part = letter.parts[0]
        assert isinstance(part, Attached)
        assert part.bot_id == LANE
        made = part.send(BufferedInputFile(b"x", part.file_name))
        assert isinstance(made, method)
        assert getattr(made, kind).filename == part.file_name
        assert part.instead.text.startswith(made.caption)  # type: ignore[attr-defined]
        assert made.reply_markup == part.instead.reply_markup  # type: ignore[attr-defined]
        words = str(made.caption)
        assert words.startswith("Fang from 南堵河 sent a ")
        assert words.endswith("Reply to this message, and your answer goes to Fang.")


async def test_file_that_takes_no_words_goes_before_them(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, _ = await worker_and_liaison(db, now)
    async with db.write() as tx:
        await ask(tx, worker, now, media="video_note", file_id="F", kind="media")
        await ask(tx, worker, now, media="photo", file_id="G", text="long " * 300, kind="media")
    for letter in await rendered(db, renderer, now):
        assert isinstance(letter, Letter)
        assert isinstance(letter.parts[0], Attached)
        assert letter.parts[0].send("F").chat_id == 6  # type: ignore[attr-defined]
        assert len(buttons_of(letter)) == 2


async def test_what_cannot_be_written_ends_with_a_reason(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, _ = await worker_and_liaison(db, now)
    templates = ("checkin", "rollcall", "broadcast", "case_new", "case_reply", "sonnet")
    async with db.write() as tx:
        for template in templates:
            await enqueue(
                tx,
                person_id=worker.person_id,
                template=template,
                priority=0,
                dedupe_key=template,
                now=now,
                expires_at=now + HOUR,
            )
    letters = await rendered(db, renderer, now)
    assert letters == [
        Withheld("failed", "its check-in is missing"),
        Withheld("failed", "its roll call is missing"),
        Withheld("failed", "its notice is missing"),
        Withheld("failed", "its case is missing"),
        Withheld("failed", "its answer is missing"),
        Withheld("failed", "there are no words for “sonnet”"),
    ]


async def test_case_of_someone_who_left_is_not_told(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, _ = await worker_and_liaison(db, now)
    async with db.write() as tx:
        await ask(tx, worker, now, text="?")
        await tx.execute(
            update(Person).where(Person.id == worker.person_id).values(erased_at=now, name=None)
        )
    assert await rendered(db, renderer, now) == [
        Withheld("cancelled", "the person who asked has left")
    ]


async def test_beyond_the_free_rate_bulk_is_paid_for(db: Database, now: datetime) -> None:
    area = await make_area(db, now)
    async with db.write() as tx:
        await make_person(tx, now, area=area)
        await plan_broadcast(tx, area=area, text="Hello.", language=None, by=None, now=now)
    catalogs = I18n(path=Path(__file__).parent, default_locale="en", domain="none")
    for rate, paid in ((30.0, None), (31.0, True)):
        able = {LANE: telegram_abilities(rate)}
        async with db.write() as tx:
            (message,) = await claim_all(tx, now, LANE, [LANE])
            written = await Renderer(catalogs, able)(tx, [Ready(message)])
            letter = written[message.id]
            assert isinstance(letter, Letter)
            (part,) = letter.parts
            assert isinstance(part, SendMessage)
            assert part.allow_paid_broadcast is paid
            await tx.execute(update(Delivery).values(state="queued"))


async def test_long_text_leaves_in_parts_with_buttons_under_the_last(
    db: Database, now: datetime, renderer: Renderer
) -> None:
    _, worker, _ = await worker_and_liaison(db, now, liaison_bot=WEB)
    words = "word " * 200
    async with db.write() as tx:
        await ask(tx, worker, now, text=words)
    (letter,) = await rendered(db, renderer, now)
    assert isinstance(letter, Letter)
    texts = [part.text for part in letter.parts]  # type: ignore[union-attr]
    assert len(texts) > 4
    assert all(utf16_length(text) <= 200 for text in texts)
    assert " ".join(texts).count("word") == 200
    assert [part.reply_markup is None for part in letter.parts][-2:] == [True, False]  # type: ignore[union-attr]


@given(some.text(max_size=400), some.integers(2, 50))
def test_split_loses_nothing_but_blanks(text: str, most: int) -> None:
    pieces = split_text(text, most)
    assert all(utf16_length(piece) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_split_at_a_pause() -> None:
    assert split_text("一二三。四五六七", 6) == ["一二三。", "四五六七"]
    assert split_text("one two three", 8) == ["one two", "three"]
    assert split_text("😀😀😀", 4) == ["😀😀", "😀"]
    assert split_text("", 5) == [""]


def test_a_beginning_is_marked_where_it_is_cut() -> None:
    assert cut_text("one two", 7) == "one two"
    assert cut_text("one two", 6) == "one t…"
    assert cut_text("😀😀😀", 6) == "😀😀😀"
    assert cut_text("😀😀😀", 5) == "😀😀…"
    assert cut_text("😀😀😀", 4) == "😀…"
