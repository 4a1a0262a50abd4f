"""Reminders as a worker lives them: chosen in the chat, sent by day, answered, and over."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.checkins import set_clocks
from scheduler.reminders import ensure_reminders, plan_due_reminders
from storage.models import Case, CaseMessage, Contact, Delivery, Reminder, Subscription, Topic
from tests.botapi import Message, PrivateConversation
from tests.town import Town, TownClock, data_of, eventually, open_town, says, tap, word, write

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""A Monday noon in China."""


@pytest.fixture
async def town(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    monkeypatch.chdir(tmp_path)
    async with open_town(database_url, TownClock(NOON)) as opened:
        await opened.village()
        yield opened


async def started(town: Town, code: str) -> str:
    """The id of a topic of the starting set, once a village has its rules."""
    await ensure_reminders(town.db, town.clock())
    await set_clocks(town.db, town.clock())
    (topic,) = await town.rows(Topic, Topic.code == code)
    return str(topic.id)


async def wait_until(town: Town, day: datetime) -> None:
    town.move(seconds=(day - town.clock()).total_seconds())
    await plan_due_reminders(town.db, town.clock())
    town.service.delivery.nudge()


async def page(town: Town, phone: PrivateConversation, language: str = "zh") -> Message:
    return await write(phone, word("Reminders", language))


async def test_a_certificate_from_its_day_to_done(town: Town) -> None:
    phone = await town.worker("小芳")
    topic = await started(town, "certificate")
    shown = await page(town, phone)
    assert len(shown.labels) == 9
    assert not any("✓" in label for label in shown.labels)
    await tap(phone, shown, f"tp:on:{topic}:")
    answer = await write(phone, "2027-02-30")
    assert says(answer, "{month} has only {n} day.")
    answer = await write(phone, "2027年1月10日")
    assert "2027年1月10日" in answer.text
    assert "2026年12月11日" in answer.text  # thirty days before
    # Few buttons: on a narrow phone the sentence above them stays in sight.
    assert answer.labels == [word("Undo"), word("It comes again"), word("All reminders")]
    await tap(phone, answer, "tp:list:")
    assert "✓" in "".join(answer.labels)
    phone.skip()
    await wait_until(town, datetime(2026, 12, 11, 0, 30, tzinfo=UTC))
    assert await town.count(Reminder) == 1
    await wait_until(town, datetime(2026, 12, 11, 3, 0, tzinfo=UTC))
    reminder = await phone.wait_for(lambda message: "rm:" in str(message.buttons))
    assert "2027年1月10日" in reminder.text
    assert len(reminder.labels) == 3
    await eventually(lambda: town.count(Reminder, Reminder.delivered_at.is_not(None)))
    heard = await town.count(Contact)
    receipt = await tap(phone, reminder, "rm:")
    assert says(receipt, "{topic}: good, that is done. When there is a new day for it, tell us.")
    assert await town.count(Contact) == heard + 1
    (subscription,) = await town.rows(Subscription)
    assert subscription.ended_as == "done"
    for day in range(4, 1, -1):
        await wait_until(town, datetime(2027, 1, 7 - day, 4, 0, tzinfo=UTC))
    assert await town.count(Reminder) == 1
    assert "✓" not in "".join((await page(town, phone)).labels)


async def test_one_tap_on_one_tap_off_and_back(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    topic = await started(town, "wages")
    shown = await page(town, phone, "en")
    assert "The next reminder comes on December 23, 2026" in await tap(
        phone, shown, f"tp:on:{topic}:"
    )
    assert shown.labels == ["Undo", "All reminders"]
    await tap(phone, shown, "tp:list:")
    assert "✓ Wages and your rights" in shown.labels
    assert await tap(phone, shown, f"tp:off:{topic}:") == "“Wages and your rights” is off."
    assert shown.labels == ["Undo", "All reminders"]
    assert "The next reminder comes on" in await tap(phone, shown, f"tp:undo:{topic}:")
    await tap(phone, shown, "tp:list:")
    assert "✓ Wages and your rights" in shown.labels
    assert await town.count(Subscription) == 1


async def test_later_brings_it_once_more_and_stop_ends_it(town: Town) -> None:
    phone = await town.worker("小芳")
    topic = await started(town, "wages")
    shown = await page(town, phone)
    await tap(phone, shown, f"tp:on:{topic}:")
    phone.skip()
    await wait_until(town, datetime(2026, 12, 23, 3, 0, tzinfo=UTC))
    reminder = await phone.wait_for(lambda message: "rm:" in str(message.buttons))
    later = data_of(reminder, "rm:").replace(":done", ":later")
    assert says(await tap(phone, reminder, later), "{topic}: all right, again on {day}.")
    await wait_until(town, datetime(2026, 12, 26, 3, 0, tzinfo=UTC))
    again = await phone.wait_for(
        lambda message: message is not reminder and "rm:" in str(message.buttons)
    )
    stop = data_of(again, "rm:").replace(":done", ":stop")
    await tap(phone, again, stop)
    (subscription,) = await town.rows(Subscription)
    assert subscription.ended_as == "declined"
    await tap(phone, again, f"tp:undo:{topic}:")
    (subscription,) = await town.rows(Subscription)
    assert subscription.ended_at is None


async def test_words_answer_too_and_a_check_up_moves_on(town: Town) -> None:
    phone = await town.worker("小芳")
    topic = await started(town, "check-up")
    shown = await page(town, phone)
    await tap(phone, shown, f"tp:on:{topic}:")
    refused = await write(phone, "2027年1月1日")
    assert says(refused, "{day} is still to come. When was it last?")
    answer = await write(phone, "2026年6月20日")
    assert "2026年12月13日" in answer.text  # six months after, less a week
    phone.skip()
    await wait_until(town, datetime(2026, 12, 13, 3, 0, tzinfo=UTC))
    await phone.wait_for(lambda message: "rm:" in str(message.buttons))
    await eventually(lambda: town.count(Reminder, Reminder.delivered_at.is_not(None)))
    await phone.write("办好了")
    # Counted from today, the 13th. It is a Sunday, and the check-in may come in between.
    await phone.wait_for(lambda message: "2027年6月6日" in message.text)
    assert await town.count(Case) == 0


async def test_a_day_that_is_over_may_come_again(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    topic = await started(town, "residence-permit")
    shown = await page(town, phone, "en")
    await tap(phone, shown, f"tp:on:{topic}:")
    over = await write(phone, "5 March 2026")
    assert says(over, "{day} is over. If it comes again, how often? Or write the next day.", "en")
    said = await tap(phone, over, f"tp:every:{topic}:12.")
    assert "February 3, 2027" in said


async def test_the_day_is_picked_from_buttons(town: Town) -> None:
    phone = await town.worker("小芳")
    topic = await started(town, "contract")
    shown = await page(town, phone)
    await tap(phone, shown, f"tp:on:{topic}:")
    for value in ("2027", "2027-02", "2027-02-28"):
        said = await tap(phone, shown, f"tp:pick:{topic}:{value}")
    assert "2027年1月29日" in said
    for forged in (
        "tp:on:999999:",
        f"tp:pick:{topic}:2027-02-30",
        f"tp:every:{topic}:7.2027-01-01",
    ):
        answered = await phone.forge(shown, forged).answered()
        assert answered.text
    answered = await phone.forge(shown, "rm:77:done").answered()
    assert answered.text


async def test_what_is_no_day_goes_to_the_liaison(town: Town) -> None:
    phone = await town.worker("小芳")
    await town.officer("老王")
    topic = await started(town, "contract")
    shown = await page(town, phone)
    await tap(phone, shown, f"tp:on:{topic}:")
    assert says(await write(phone, "05/03/2027"), "I couldn't tell the day from that.")
    await write(phone, "老板不给我签合同，怎么办")
    assert await town.count(Case) == 1


async def test_a_day_that_cannot_be_read_is_asked_for_once_more(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    topic = await started(town, "contract")
    shown = await page(town, phone, "en")
    await tap(phone, shown, f"tp:on:{topic}:")
    again = await write(phone, "next month")
    assert says(again, "I couldn't tell the day from that.", "en")
    assert says(again, "If it was meant for your liaison, just write it once more.", "en")
    assert says(again, "For example: {day}", "en")
    assert "2027" in again.labels
    assert "kept this" in (await write(phone, "31/2/2027")).text
    assert await town.count(Case) == 1


async def test_an_unread_day_is_forgotten_with_the_next_that_is_read(town: Town) -> None:
    phone = await town.worker("Ming", language="en")
    topic = await started(town, "contract")
    await tap(phone, await page(town, phone, "en"), f"tp:on:{topic}:")
    await write(phone, "no idea")
    await write(phone, "ok")  # a status word stays one
    assert says(await write(phone, "March 2027"), "“{topic}”: on which day of {month}?", "en")
    assert says(await write(phone, "later"), "I couldn't tell the day from that.", "en")
    assert "March 5, 2027" in (await write(phone, "5 March 2027")).text
    assert await town.count(Case) == 0


async def test_the_evening_waits_for_the_morning(town: Town) -> None:
    """A reminder that comes late in the day leaves by day."""
    phone = await town.worker("小芳")
    topic = await started(town, "wages")
    await tap(phone, await page(town, phone), f"tp:on:{topic}:")
    phone.skip()
    await wait_until(town, datetime(2026, 12, 23, 14, 30, tzinfo=UTC))  # half past ten at night
    (delivery,) = await town.rows(Delivery, Delivery.template == "reminder")
    assert delivery.not_before == datetime(2026, 12, 24, 0, 0, tzinfo=UTC)
    assert delivery.expires_at - delivery.not_before > timedelta(days=7)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_day_written_right_after_one_was_kept_corrects_it(
    town: Town, language: str
) -> None:
    """It comes again as before and can be undone; other words mean what they always do."""
    phone = await town.worker("Fang", language=language)
    topic = await started(town, "certificate")
    await tap(phone, await page(town, phone, language), f"tp:on:{topic}:")
    kept = await write(phone, "2027-01-10")
    yearly = data_of(kept, f"tp:often:{topic}:")
    await tap(phone, kept, yearly)
    await tap(phone, kept, f"tp:every:{topic}:12.")
    corrected = await write(phone, "2027-03-05")
    assert {"zh": "2027年2月3日", "en": "February 3, 2027"}[language] in corrected.text
    assert word("Undo", language) in corrected.labels
    (subscription,) = await town.rows(Subscription)
    assert (str(subscription.day), subscription.every_months) == ("2027-03-05", 12)

    heard = await town.count(Contact, Contact.kind == "status")
    assert says(
        await write(phone, {"zh": "平安", "en": "fine"}[language]),
        "Got it, {time}. Glad you're well.",
        language,
    )
    assert await town.count(Contact, Contact.kind == "status") == heard + 1
    # Of a month the day is missing, and 30 February there is none: that is asked, and no more.
    assert str(topic) in data_of(await write(phone, "2027-04"), "tp:pick:")
    asked = await write(phone, "2027-02-30")
    assert "28" in asked.text
    await write(phone, "2027-04-02")
    (subscription,) = await town.rows(Subscription)
    assert (str(subscription.day), subscription.every_months) == ("2027-04-02", 12)
    assert await town.count(Case) == 0


async def test_what_is_no_correction_goes_to_the_liaison(town: Town) -> None:
    """A day after a while, of a topic that is off, or in answer to somebody's message."""
    phone = await town.worker("小芳")
    topic = await started(town, "certificate")

    async def keep_a_day() -> Message:
        await tap(phone, await page(town, phone), f"tp:on:{topic}:")
        return await write(phone, "2027-01-10")

    kept = await keep_a_day()
    await phone.reply(kept, "2027-03-05")
    await eventually(lambda: town.count(CaseMessage))
    await write(phone, "老板不给我签合同，怎么办")
    assert await town.count(CaseMessage) == 2
    town.move(minutes=11)
    await write(phone, "2027-03-05")
    assert await town.count(CaseMessage) == 3
    (subscription,) = await town.rows(Subscription)
    assert str(subscription.day) == "2027-01-10"

    await tap(phone, kept, f"tp:off:{topic}:")
    kept = await keep_a_day()
    await tap(phone, kept, f"tp:off:{topic}:")
    await write(phone, "2027-03-05")
    assert await town.count(CaseMessage) == 4
    assert await town.count(Subscription, Subscription.ended_at.is_(None)) == 0
