"""A worker who writes instead of tapping: words answer what buttons ask."""

import pytest

from scheduler.checkins import set_clocks
from storage.models import Case
from tests.botapi import Message as Bubble
from tests.botapi import PrivateConversation
from tests.town import Town, says, tap, town, word, write

__all__ = ["town"]
UNCLEAR = "I couldn't tell which you mean. Tap one of these, or write it: {example}."


async def rhythm(town: Town, phone: PrivateConversation, language: str = "zh") -> Bubble:
    await set_clocks(town.db, town.clock())
    page = await write(phone, word("My data", language))
    await tap(phone, page, "md:rhythm")
    return page


async def test_an_hour_is_written(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await rhythm(town, phone)
    for said, minute in (("晚上8点", 1200), ("19:30", 1170), ("9点", 540), ("20:00", 1200)):
        await tap(phone, page, "md:hours")
        answer = await write(phone, said)
        assert says(answer, "You chose this hour."), said
        assert (await town.row(phone)).ask_minute == minute
        await tap(phone, page, "md:rhythm")
    await tap(phone, page, "md:hours")
    refused = await write(phone, "23:00")
    assert says(refused, "We can't ask at that time. Here is how it stands.")
    await tap(phone, refused, "md:often")
    assert says(await write(phone, word("Every other time")), "We ask you every other time.")
    assert await town.count(Case) == 0


@pytest.mark.parametrize("said", ["12点到1点", "12:00-13:00", "12-13"])
async def test_quiet_hours_are_written(town: Town, said: str) -> None:
    phone = await town.worker("小芳")
    page = await rhythm(town, phone)
    await tap(phone, page, "md:quiet")
    assert "12:00–13:00" in (await write(phone, said)).text
    row = await town.row(phone)
    assert (row.quiet_from, row.quiet_to) == (12, 13)


async def test_quiet_hours_are_written_one_end_after_the_other(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    page = await rhythm(town, phone, "en")
    await tap(phone, page, "md:quiet")
    assert says(await write(phone, "2pm"), "Quiet from {start} until …", "en")
    await write(phone, "4 pm")
    row = await town.row(phone)
    assert (row.quiet_from, row.quiet_to) == (14, 16)


@pytest.mark.parametrize(
    ("language", "said"), [("en", "two weeks"), ("zh", "两周"), ("zh", "14天")]
)
async def test_a_pause_is_written(town: Town, language: str, said: str) -> None:
    phone = await town.worker("Fang", language=language)
    await write(phone, word("Pause", language))
    assert says(await write(phone, said), "Good. Nothing from us until {day}.", language)
    assert (await town.row(phone)).status == "paused"
    assert await town.count(Case) == 0


@pytest.mark.parametrize(
    ("country", "said", "zone"),
    [
        ("澳大利亚", "悉尼", "Australia/Sydney"),
        ("俄罗斯", "Moscow", "Europe/Moscow"),
        ("美国", "早上7点", "America/New_York"),
        ("美国", "凌晨四点", "America/Los_Angeles"),
        ("美国", "6:02", "America/Chicago"),
        ("美国", "6am", "America/Chicago"),
    ],
)
async def test_a_clock_is_written(town: Town, country: str, said: str, zone: str) -> None:
    phone = await town.worker("小芳")
    await tap(phone, await write(phone, word("My news")), "nw:place")
    await phone.heard()
    await write(phone, country, answers=2)
    answer = await write(phone, said)
    assert says(answer, "Thank you. It is {time} where you are, and nights are yours to sleep.")
    assert (await town.row(phone)).timezone == zone


async def test_what_is_unclear_is_asked_once_more_and_then_passed_on(town: Town) -> None:
    phone = await town.worker("小芳")
    await town.officer("老王")
    await tap(phone, await write(phone, word("My news")), "nw:place")
    await phone.heard()
    await write(phone, "美国", answers=2)
    again = await write(phone, "不清楚")
    assert says(again, UNCLEAR)
    assert "04:00 · 洛杉矶" in again.labels
    assert await town.count(Case) == 0
    await write(phone, "不清楚")
    assert await town.count(Case) == 1
    assert (await town.row(phone)).timezone == "America/New_York"
    # The question still stands, and its words do not hide others.
    assert "4:00" in (await write(phone, "洛杉矶")).text


async def test_what_is_something_else_is_not_taken_for_an_answer(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await rhythm(town, phone)
    await tap(phone, page, "md:hours")
    await write(phone, "老板不给我发工资，怎么办")
    assert await town.count(Case) == 1


async def test_a_label_counts_in_any_case_while_a_dialog_is_open(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    page = await write(phone, word("My data", "en"))
    phone.skip()
    await phone.tap(page, word("Change my name", "en"))
    await phone.heard()
    assert "md:name" in str((await write(phone, "my data")).buttons)
    assert (await town.known(phone)).name == "Ming"
