"""A check-in's stories on Telegram: asked, answered in every way people answer, and counted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.database import Database
from storage.models import Case, Checkin, Contact, Person
from storage.people.areas import add_area, find_area
from storage.people.enrolment import Address, enrol, give_consent, rename
from storage.people.places import find_place
from storage.people.status import set_place
from storage.people.who import load_who
from tests.botapi import Message, PrivateConversation
from tests.town import (
    TOKEN,
    Town,
    TownClock,
    data_of,
    eventually,
    open_town,
    tap,
    town,
    town_now,
    word,
    write,
)

__all__ = ["town", "town_now"]


async def asked(
    town: Town, *phones: PrivateConversation, text: str = "都平安吗？"
) -> list[Message]:
    """A roll call, as it stands in each chat once its delivery is written down."""
    for phone in phones:
        phone.skip()
    assert await town.rollcall(text) >= len(phones)
    questions = [(await phone.heard())[0] for phone in phones]

    async def delivered() -> bool:
        return await town.count(Checkin, Checkin.delivered_at.is_(None)) == 0

    await eventually(delivered)
    return questions


def answer(question: Message, said: str) -> str:
    """The data of the button that answers so."""
    return data_of(question, "ci:").replace(":ok", f":{said}")


async def without_buttons(phone: PrivateConversation, question: Message) -> None:
    await phone.wait_for(lambda message: message is question and not message.buttons)


async def test_a_rollcall_from_the_command_line_is_counted(town_now: Town) -> None:
    town = town_now
    fang, ming = await town.worker("小芳"), await town.worker("小明", language="en")
    planned = await town.cli("rollcall", "--area", "T", "--text", "台风来了，都平安吗？")
    assert planned["count"] == 2
    (question,) = await fang.heard()
    (other,) = await ming.heard()
    assert "台风来了，都平安吗？" in question.text
    assert len(question.labels) == 4
    assert question.labels[1:3] == [word("I've moved"), word("Going home")]
    assert other.labels[1:3] == [word("I've moved", "en"), word("Going home", "en")]
    await tap(fang, question, "ci:")
    assert question.buttons == []
    assert "台风" not in question.text

    async def counted() -> bool:
        outbox = await town.cli("outbox")
        return bool(outbox["states"].get("sent") == 2)

    await eventually(counted)
    register = await town.cli("register", "--area", "V")
    assert register["expected"] == 2
    assert register["standing"]["heard"] == 1
    assert register["silence"]["unanswered"] == 1
    assert register["contact_rate"] == register["voluntary_rate"] == 0.5
    assert register["checkins"] == {"delivered": 2, "answered": 1}


async def test_words_answer_as_well_as_a_tap(town: Town) -> None:
    words = ["平安", "没事", "ok", "1", "Fine!", "👍"]
    phones = [await town.worker(f"工人{number}") for number, _ in enumerate(words)]
    questions = await asked(town, *phones)
    for phone, question, said in zip(phones, questions, words, strict=True):
        receipt = await write(phone, said)
        assert "20:0" in receipt.text, said
        await without_buttons(phone, question)
    checkins = await town.rows(Checkin)
    assert [checkin.answer for checkin in checkins] == ["ok"] * len(words)
    contacts = await town.rows(Contact)
    assert [contact.kind for contact in contacts] == ["checkin"] * len(words)
    assert {contact.checkin_id for contact in contacts} == {checkin.id for checkin in checkins}


async def test_other_answers_go_on_to_their_next_step(town: Town) -> None:
    moving, going, lost = [await town.worker(name) for name in ("搬家的", "回家的", "求助的")]
    questions = await asked(town, moving, going, lost)
    await tap(moving, questions[0], answer(questions[0], "moved"))
    await moving.heard()
    assert "苏州" in (await write(moving, "苏州")).text
    await tap(going, questions[1], answer(questions[1], "home"))
    assert (await town.known(going)).status == "home"
    await write(lost, "4")
    assert data_of(lost.last, "hp:urgent")
    assert {row.answer for row in await town.rows(Checkin)} == {"moved", "home", "help"}


async def test_two_taps_count_once(town: Town) -> None:
    phone = await town.worker("小芳")
    (question,) = await asked(town, phone)
    data = data_of(question, "ci:")
    taps = [phone.forge(question, data), phone.forge(question, answer(question, "home"))]
    first, second = [await tap.answered() for tap in taps]
    assert (first.text, bool(second.text)) == ("", True)
    await without_buttons(phone, question)
    late = await phone.forge(question, data).answered()
    assert late.text == second.text
    (checkin,) = await town.rows(Checkin)
    assert checkin.answer == "ok"
    assert await town.count(Contact) == 1
    assert (await town.known(phone)).status == "away"


async def test_last_months_checkin(town: Town) -> None:
    phone = await town.worker("小芳")
    (question,) = await asked(town, phone)
    town.move(days=31)
    assert "20:0" in await tap(phone, question, "ci:")
    (checkin,) = await town.rows(Checkin)
    assert checkin.answered_at > checkin.window_until
    (contact,) = await town.rows(Contact)
    assert contact.at == checkin.answered_at  # they were heard from today, not then


async def test_forged_taps_do_nothing(town: Town) -> None:
    fang, ming = await town.worker("小芳"), await town.worker("小明")
    stranger = town.phone("Stranger")
    await stranger.start()
    (hello,) = await stranger.heard()
    (question, other) = await asked(town, fang, ming)
    data = data_of(question, "ci:")
    before = await town.everything()
    for phone, message in ((ming, other), (stranger, hello)):
        await phone.forge(message, data).answered()
    for forged in (
        "ci:999999999:ok",
        f"ci:{10**18}:ok",
        f"ci:{10**20}:ok",
        "ci:-1:ok",
        "ci:abc:ok",
        "ci:1:nonsense",
        "ci::",
        "zz",
        "md:quiet:1-99",
        "md:pause:9999",
        "md:language:xx",
        "lk:1:answer",
        "ll:1:1:0:0",
    ):
        said = await fang.forge(question, forged).answered()
        assert said.text, forged
    await town.settled()
    kept = await town.everything()
    assert kept["checkin"] == before["checkin"]
    assert kept["contact"] == before["contact"]
    assert kept["case"] == []
    assert await town.count(Person, Person.status == "paused") == 0
    await tap(fang, question, "ci:")  # the real one still works


async def test_what_is_not_understood_becomes_a_case_and_is_answered(town: Town) -> None:
    phone, liaison = await town.worker("小芳"), await town.officer("老韦")
    told = await write(phone, "工钱三个月没发了，怎么办")
    assert "老韦" in told.text
    (case,) = await liaison.heard()
    assert "工钱三个月没发了，怎么办" in case.text
    assert "小芳" in case.text
    sent = await write_reply(liaison, case, "先别急，我帮你找劳动监察。")
    assert "小芳" in sent.text
    (help_came,) = await phone.heard()
    assert "先别急，我帮你找劳动监察。" in help_came.text
    assert "老韦" in help_came.text
    (row,) = await town.rows(Case)
    assert row.state == "answered"
    assert "工钱" not in str(await town.dump())

    # A voice and a photo are passed on as they came.
    await phone.send_voice()
    await phone.heard()
    (voice,) = await liaison.heard()
    assert town.api.files.get(voice.raw["voice"]["file_id"]).data == b"OggS"
    assert "小芳" in voice.text
    await phone.send_photo(caption="厂门口")
    await phone.heard()
    (photo,) = await liaison.heard()
    assert "photo" in photo.raw
    assert "厂门口" in photo.text
    assert await town.count(Case) == 1  # one conversation is one case
    await write_reply(liaison, photo, "看到了")
    (seen,) = await phone.heard()
    assert "看到了" in seen.text


async def write_reply(phone: PrivateConversation, message: Message, text: str) -> Message:
    phone.skip()
    await phone.reply(message, text)
    return (await phone.heard())[0]


async def test_urgent_help_reaches_liaison_and_supervisor(town: Town) -> None:
    phone = await town.worker("小芳")
    liaison, elsewhere = await town.officer("老韦"), await town.officer("老李", "W")
    supervisor = await town.officer("镇主任", "T", role="supervisor")
    async with town.db.write() as tx:
        who = await load_who(tx, town.account.id, phone.user.id)
        assert who is not None
        await set_place(tx, who, find_place("泰国"), None)
    asked_how = await write(phone, word("Help"))
    told = await tap(phone, asked_how, "hp:urgent")
    for number in ("191", "1669", "199"):  # of the country they are in
        assert number in told
    for officer in (liaison, supervisor):
        (alarm,) = await officer.heard()
        assert "小芳" in alarm.text
    await write(phone, "工厂着火了，我在三楼")
    for officer in (liaison, supervisor):
        (more,) = await officer.heard()
        assert "工厂着火了，我在三楼" in more.text
    await write_reply(supervisor, more, "消防已经出发")
    (coming,) = await phone.heard()
    assert "消防已经出发" in coming.text
    assert await town.count(Case, Case.urgent) == 1
    assert all(not message.from_bot for message in elsewhere.messages)


@pytest.fixture
async def neighbours(db: Database) -> tuple[int, int]:
    """Two workers of one village, one in China and one in Japan, on the register for weeks."""
    then = datetime(2026, 11, 1, tzinfo=UTC)
    bot_id = int(TOKEN.split(":")[0])
    async with db.write() as tx:
        await add_area(
            tx, code="V", name="南对河村", parent=None, timezone=None, language=None, now=then
        )
        area = await find_area(tx, "V")
        for chat_id, place in ((5_000_000_001, "东莞"), (5_000_000_002, "日本")):
            address = Address("telegram", bot_id, chat_id)
            person_id = await give_consent(tx, address, language="zh", now=then)
            await rename(tx, person_id, f"在{place}的")
            await enrol(tx, person_id, area.id, then)
            who = await load_who(tx, bot_id, chat_id)
            assert who is not None
            await set_place(tx, who, find_place(place), None)
    return 5_000_000_001, 5_000_000_002


async def test_the_weekly_checkin_comes_at_ten_by_their_own_clock(
    database_url: str,
    neighbours: tuple[int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    # Sunday, just before ten in Japan, which is nine in China.
    clock = TownClock(datetime(2026, 11, 22, 0, 59, 50, tzinfo=UTC))
    async with open_town(database_url, clock) as town:
        in_china, in_japan = (town.phone_of(chat_id) for chat_id in neighbours)
        town.move(seconds=10)
        (question,) = await in_japan.heard()
        assert "在日本的" in question.text
        assert data_of(question, "ci:")
        assert in_china.messages == []
        await tap(in_japan, question, "ci:")
        town.move(hours=1)
        (question,) = await in_china.heard()
        await tap(in_china, question, "ci:")
        assert len([m for m in in_japan.messages if m.from_bot]) == 1
    assert clock() - datetime(2026, 11, 22, 2, tzinfo=UTC) < timedelta(minutes=1)
