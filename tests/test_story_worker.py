"""A worker's own stories on Telegram: coming in, being well, changing one's mind, leaving."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from storage.models import Account, Consent, Contact, Delivery, Enrolment, Person, StatusChange
from storage.outbox.broadcasts import plan_broadcast
from storage.people.areas import find_area
from storage.people.status import set_quiet_hours
from tests.botapi import Message, PrivateConversation
from tests.town import Town, data_of, eventually, says, tap, town, word, write

__all__ = ["town"]

NAMES = {"zh": "韦小芳", "en": "Fang Wei"}
PLACES = {"zh": "东莞", "en": "Dongguan"}
MENU = ("I'm fine", "My news", "Help", "Notices and services", "Reminders", "My data")


async def press(phone: PrivateConversation, label: str, language: str = "zh") -> Message:
    """Press a button of the menu; what comes back."""
    return await write(phone, word(label, language))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_coming_in_by_taps(town: Town, language: str) -> None:
    token = await town.invite("V")
    before = await town.everything()
    phone = town.phone("Fang")
    await phone.start(token)
    (asked,) = await phone.heard()
    for either in ("zh", "en"):
        assert says(asked, "Hello, this is the family room of {area}.", either)
    assert "南对河村" in asked.text
    consent = await tap(phone, asked, f"en:lang:{language}")
    assert "南对河村" in consent
    assert word("Agree", language) in asked.labels
    assert await tap(phone, asked, "en:more") != consent
    assert await town.everything() == before  # nothing is kept before they agree

    await tap(phone, asked, "en:agree")
    assert asked.buttons == []
    (name_asked,) = await phone.heard()
    assert says(name_asked, "What shall we call you?", language)
    place_asked = await write(phone, NAMES[language])
    assert NAMES[language] in place_asked.text
    assert phone.keyboard == [[word("Share where I am", language)], [word("Skip", language)]]
    done = await write(phone, PLACES[language])
    assert PLACES[language] in done.text
    assert phone.keyboard is not None
    labels = [label for row in phone.keyboard for label in row]
    assert labels == [word(label, language) for label in MENU]

    who = await town.known(phone)
    assert (who.name, who.language, who.status) == (NAMES[language], language, "away")
    assert (who.area_name, who.country, who.timezone) == ("南对河村", "CN", "Asia/Shanghai")
    (given,) = await town.rows(Consent)
    assert (given.person_id, given.given, given.channel) == (who.person_id, True, "telegram")
    assert await town.count(Enrolment, Enrolment.person_id == who.person_id) == 1
    assert NAMES[language] not in str(await town.dump())  # names are sealed


@pytest.mark.parametrize(
    ("language", "chosen", "agreed", "skipped"),
    [("zh", "中文", "同意", "跳过"), ("en", "english", "I agree.", "Skip")],
)
async def test_coming_in_by_words(
    town: Town, language: str, chosen: str, agreed: str, skipped: str
) -> None:
    phone = town.phone("Fang", None)
    await phone.start(await town.invite("V", uses=1))
    (asked,) = await phone.heard()
    again = await write(phone, "what is this?")  # no answer: the question comes again
    assert again.labels == asked.labels
    consent = await write(phone, chosen)
    assert word("Agree", language) in consent.labels
    assert (await write(phone, "???")).text == consent.text
    await write(phone, agreed, answers=2)
    assert "Wei Fang" in (await write(phone, "  Wei   Fang ")).text
    await write(phone, skipped)
    assert phone.keyboard is not None
    assert phone.keyboard[0] == [word("I'm fine", language)]
    who = await town.known(phone)
    assert (who.name, who.language, who.country) == ("Wei Fang", language, None)


async def test_coming_in_in_one_breath(town: Town) -> None:
    """What was written on a train without a network arrives at once, and in order."""
    phone = town.phone("Fang")
    await phone.start(await town.invite("V"))
    for text in ("中文", "同意", "小芳", "东莞", "平安"):
        await phone.write(text)
    *_, fine = await phone.heard(7)
    assert "20:0" in fine.text
    who = await town.known(phone)
    assert (who.name, who.area_name, who.country) == ("小芳", "南对河村", "CN")
    assert await town.count(Contact, Contact.outcome == "ok") == 1


async def test_the_buttons_hold_what_memory_forgets(town: Town) -> None:
    """Before consent nothing is kept, and yet a restart in the middle costs nothing."""
    token = await town.invite("V")
    phone = town.phone("Fang")
    await phone.start()
    (hello,) = await phone.heard()
    await phone.forge(hello, f"en:lang:zh:{token}").answered()
    await phone.wait_for(lambda message: message is hello and message.buttons)
    other = town.phone("Ming")
    await other.start()
    (hello,) = await other.heard()
    await other.forge(hello, f"en:agree:en:{token}").answered()
    await other.heard()
    assert "Ming" in (await write(other, "Ming")).text
    assert (await town.known(other)).language == "en"


async def test_who_declines_leaves_no_trace(town: Town) -> None:
    token = await town.invite("V")
    before = await town.everything()
    tapping, writing, silent = (town.phone(name) for name in ("Tap", "Write", "Silent"))
    await tapping.start(token)
    (asked,) = await tapping.heard()
    await tap(tapping, asked, "en:lang:zh")
    await tap(tapping, asked, "en:decline")
    assert asked.buttons == []

    await writing.start(token)
    await writing.heard()
    await write(writing, "English")
    declined = await write(writing, "No!")
    assert declined.buttons == []
    await write(writing, "My secret")  # and what they write then is kept no more than that

    await silent.start()
    await silent.send_location(23.02, 113.75)
    await silent.send_voice()
    await silent.heard(3)
    await silent.block()
    await town.settled()
    assert await town.everything() == before


async def test_saying_how_things_are(town: Town) -> None:
    phone = await town.worker("小芳")
    for status in ("moving", "home", "away"):
        news = await press(phone, "My news")
        receipt = await tap(phone, news, f"nw:{status}")
        assert "20:0" in receipt  # the hour of their own zone
        assert news.buttons == []
        assert (await town.known(phone)).status == status
    answer = await press(phone, "I'm fine")
    assert "20:0" in answer.text

    reports = await town.rows(Contact, Contact.kind == "status")
    assert [report.outcome for report in reports] == ["moving", "home", "away", "ok"]
    assert all(report.evidence == "self" and report.success for report in reports)
    person_id = (await town.known(phone)).person_id
    changes = await town.rows(StatusChange, StatusChange.person_id == person_id)
    assert [change.status for change in changes] == ["away", "moving", "home", "away"]


async def test_changing_place(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await press(phone, "My data")
    await phone.tap(page, data_of(page, "md:place"))
    await phone.heard()
    assert "新加坡" in (await write(phone, "新加坡")).text
    who = await town.known(phone)
    assert (who.country, who.timezone) == ("SG", "Asia/Singapore")

    # A place that no gazetteer knows is kept as they wrote it, sealed.
    news = await press(phone, "My news")
    await tap(phone, news, "nw:place")
    await phone.heard()
    assert (await write(phone, "二叔家的矿上", answers=2)).buttons
    assert "二叔家的矿上" not in str(await town.dump())

    # A shared location is rounded to the city at once: no coordinate is kept anywhere.
    await phone.send_location(22.547123, 114.085947)
    (noted,) = await phone.heard()
    assert "深圳" in noted.text
    row = await town.row(phone)
    assert (row.country, row.place) == ("CN", None)
    kept = str(await town.dump())
    assert "22.5" not in kept
    assert "114.0" not in kept
    assert "深圳" in (await press(phone, "My data")).text


async def test_what_is_held_is_theirs_to_see_and_change(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await press(phone, "My data")
    assert "小芳" in page.text
    assert "南对河村" in page.text
    await phone.tap(page, data_of(page, "md:name"))
    await phone.heard()
    assert "芳芳" in (await write(phone, "芳芳")).text
    assert (await town.known(phone)).name == "芳芳"

    assert "芳芳" in (await press(phone, "My data")).text
    page = await press(phone, "My data")
    await tap(phone, page, "md:language:")
    await tap(phone, page, "md:language:en")
    await phone.heard()
    assert phone.keyboard is not None
    assert phone.keyboard[0] == [word("I'm fine", "en")]
    page = await press(phone, "My data", "zh")  # a button of the old keyboard still works
    assert says(page, "Change my name", "en") or word("Change my name", "en") in page.labels


async def test_nothing_unasked_in_quiet_hours(town: Town) -> None:
    phone = await town.worker("小芳")  # it is eight in the evening
    async with town.db.write() as tx:
        await set_quiet_hours(tx, await town.known(phone), 20, 9)
    async with town.db.write() as tx:
        area = await find_area(tx, "V")
        await plan_broadcast(
            tx, area=area, text="免费体检", language=None, by=None, now=town.clock()
        )
    town.service.delivery.nudge()

    async def held() -> bool:
        return await town.count(Delivery, Delivery.reason == "quiet hours") == 1

    await eventually(held)
    phone.skip()
    town.move(hours=13, minutes=-10)  # ten to nine
    news = await press(phone, "My news")
    assert "免费体检" not in news.text
    town.move(minutes=11)
    (notice,) = await phone.heard()
    assert "免费体检" in notice.text


async def test_a_pause_is_kept_and_ended(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await press(phone, "My data")
    await tap(phone, page, "md:pause")
    await tap(phone, page, "md:pause:14")
    row = await town.row(phone)
    assert row.status == "paused"
    assert timedelta(days=13) < row.paused_until - town.clock() <= timedelta(days=14)
    assert await town.rollcall("都平安吗？") == 0

    await tap(phone, page, "md:resume")
    row = await town.row(phone)
    assert (row.status, row.paused_until) == ("away", None)
    assert await town.rollcall("都平安吗？") == 1
    (asked,) = await phone.heard()
    assert "都平安吗？" in asked.text


async def test_a_copy_of_everything(town: Town) -> None:
    phone = await town.worker("小芳")
    await press(phone, "I'm fine")
    page = await press(phone, "My data")
    await phone.tap(page, data_of(page, "md:export"))
    (sent,) = await phone.heard()
    document = sent.raw["document"]
    assert document["file_name"] == "kinroom.json"
    record = json.loads(town.api.files.get(document["file_id"]).data)
    assert record["person"]["name"] == "小芳"
    assert record["person"]["village"] == "南对河村"
    assert [account["chat_id"] for account in record["accounts"]] == [phone.user.id]
    assert {"kind": "status", "outcome": "ok"}.items() <= record["contacts"][0].items()
    assert [consent["given"] for consent in record["consents"]] == [True]


async def test_leaving_and_coming_back(town: Town, tmp_path: Path) -> None:
    """What is left after leaving names nobody, and does not stand in the way of coming back."""
    liaison = await town.officer("老韦")
    token = await town.invite("V")
    name = "独一无二的名字"
    phone = await _join(town, token, name, "老家后山")
    who = await town.known(phone)
    await town.rollcall("都平安吗？")
    (asked,) = await phone.heard()
    await tap(phone, asked, "ci:")
    await write(phone, "独特的心事")
    (case,) = await liaison.heard()
    assert name in case.text
    await liaison.reply(case, "独特的回答")
    await liaison.heard()
    await phone.heard()

    page = await press(phone, "My data")
    await tap(phone, page, "md:leave")
    await tap(phone, page, "md:erase")
    await phone.heard()
    assert phone.keyboard is None
    assert await town.who(phone) is None

    kept = await town.dump()
    for trace in (name, str(phone.user.id), "独特的心事", "独特的回答", "老家后山"):
        assert [row for rows in kept.values() for row in rows if trace in row] == []
    (row,) = await town.rows(Person, Person.id == who.person_id)  # it stays, for the count
    assert (row.name, row.name_key, row.phone, row.place, row.area_id) == (None,) * 5
    assert (row.status, row.consented, row.country) == ("left", False, None)
    assert await town.count(Account, Account.person_id == who.person_id) == 0
    (enrolment,) = await town.rows(Enrolment, Enrolment.person_id == who.person_id)
    assert enrolment.ended_as == "withdrawn"
    if town.db.on_sqlite:
        kept_on_disk = read_files(tmp_path)
        assert "老韦".encode() not in kept_on_disk
        assert name.encode() not in kept_on_disk

    # What is written now is kept no more than a stranger's words.
    before = await town.everything()
    await write(phone, "还在吗")
    assert await town.everything() == before

    again = await _join(town, token, "新名字", "跳过", phone)
    back = await town.known(again)
    assert back.name == "新名字"
    assert back.person_id != who.person_id


def read_files(folder: Path) -> bytes:
    """The database's file, and the log beside it."""
    files = list(folder.glob("kinroom.db*"))
    assert len(files) >= 2
    return b"".join(file.read_bytes() for file in files)


async def _join(
    town: Town, token: str, name: str, place: str, phone: PrivateConversation | None = None
) -> PrivateConversation:
    phone = phone or town.phone("Fang")
    phone.skip()
    await phone.start(token)
    await phone.heard()
    await write(phone, "中文")
    await write(phone, "同意", answers=2)
    await write(phone, name)
    await write(phone, place, answers=1 if place == "跳过" else 2)
    return phone
