"""A worker's own rhythm on Telegram: when they are asked, and why, and all they may change."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from scheduler.checkins import plan_due_checkins, set_clocks
from storage.models import Account, Checkin, Delivery, Person, Rule, RuleClock
from storage.outbox.broadcasts import plan_broadcast
from storage.people.areas import find_area
from storage.people.places import find_place
from storage.people.status import set_place, set_quiet_hours
from storage.register.figures import compute_register
from storage.register.periods import parse_period
from tests.botapi import Message as Bubble
from tests.botapi import PrivateConversation
from tests.town import Town, eventually, says, tap, town, word, write

__all__ = ["town"]


async def open_page(town: Town, phone: PrivateConversation) -> Bubble:
    """My data, and from there the page on when one is asked."""
    await set_clocks(town.db, town.clock())
    page = await write(phone, word("My data"))
    await tap(phone, page, "md:rhythm")
    return page


async def at_eight(town: Town) -> None:
    """This Sunday's check-in is over, and it is eight in the morning: as it will be a week on."""
    await set_clocks(town.db, town.clock())
    town.move(hours=-12)


async def asked_next(town: Town, days: int = 7) -> None:
    """The next Sunday's eight o'clock comes, and the check-ins are planned."""
    town.move(days=days)
    await eventually(lambda: all_planned(town))
    town.service.delivery.nudge()


async def all_planned(town: Town) -> bool:
    """The service ticks as well, and of two at once only one plans."""
    now = town.clock()
    await plan_due_checkins(town.db, now)
    checkins = select(Rule.id).where(Rule.kind == "checkin")
    where = (RuleClock.rule_id.in_(checkins), RuleClock.next_at <= now)
    return await town.count(RuleClock, *where) == 0


async def all_delivered(town: Town) -> bool:
    where = (Checkin.delivered_at.is_(None), Checkin.answered_at.is_(None))
    return await town.count(Checkin, *where) == 0


async def all_answered(town: Town) -> bool:
    """Whatever else came meanwhile, such as a roll call's end."""
    return await town.count(Checkin, Checkin.answered_at.is_(None)) == 0


async def question_of(town: Town, phone: PrivateConversation) -> Bubble:
    """The check-in that arrives, once its delivery is written down."""
    (asked,) = await phone.heard()

    await eventually(lambda: all_delivered(town))
    phone.skip()
    return asked


async def test_the_page_says_when_and_why(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await open_page(town, phone)
    assert "11月29日周日" in page.text
    assert "10:00" in page.text
    assert says(page, "That's when your village asks. Once you've answered, it moves to your hour.")
    assert says(page, "We don't know where you are, so we go by your village's clock: {time} now.")
    assert "20:00" in page.text
    assert word("Telegram or web") not in page.labels

    assert "10:30" in await tap(phone, page, "md:hour:later")
    assert "11:00" in await tap(phone, page, "md:hour:later")
    assert says(page, "You chose this hour.")
    assert (await town.row(phone)).ask_minute == 11 * 60
    assert "10:30" in await tap(phone, page, "md:hour:earlier")

    await tap(phone, page, "md:hours")
    labels = [label for label in page.labels if ":" in label]
    assert labels == [f"{hour:02}:00" for hour in range(8, 21)]
    assert "19:00" in await tap(phone, page, "md:hour:1140")
    assert "19:00" in (await write(phone, word("My data"))).text

    await tap(phone, page, "md:hour:auto")
    assert (await town.row(phone)).ask_minute is None
    assert "10:00" in page.text

    # The edges of the day are the edges, and an hour that nobody offered is not taken.
    async with town.db.write() as tx:
        await tx.execute(update(Person).values(ask_minute=20 * 60 + 45))
    edge = await phone.forge(page, "md:hour:later").answered()
    assert edge.text == word("That's as late as we ask.")
    await phone.forge(page, "md:hour:180").answered()
    assert (await town.row(phone)).ask_minute == 20 * 60 + 45


async def test_how_often_is_theirs_and_can_be_taken_back(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await open_page(town, phone)
    await tap(phone, page, "md:often")
    assert says(await tap(phone, page, "md:slower:1"), "We ask you every other time.")
    row = await town.row(phone)
    assert (row.slower, row.monthly) == (True, False)
    await tap(phone, page, "md:often")
    monthly = await tap(phone, page, "md:slower:2")
    assert says(monthly, "We ask you once a month.")
    assert "12月6日周日" in monthly  # the month's first Sunday
    await tap(phone, page, "md:often")
    usual = await tap(phone, page, "md:slower:0")
    assert says(usual, "We ask you each time your village asks.")
    assert "11月29日" in usual
    row = await town.row(phone)
    assert (row.slower, row.monthly) == (False, False)


async def test_once_a_month_is_once_a_month(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await open_page(town, phone)
    await tap(phone, page, "md:often")
    await tap(phone, page, "md:slower:2")
    await at_eight(town)
    for _ in range(10):
        await asked_next(town)
    slots = sorted(row.slot for row in await town.rows(Checkin))
    assert slots == ["2026-12-06", "2027-01-03"]


async def test_quiet_hours_are_added_to_the_night(town: Town) -> None:
    phone = await town.worker("小芳")
    page = await open_page(town, phone)
    await tap(phone, page, "md:quiet")
    assert "21:00–08:00" in page.text
    await tap(phone, page, "md:quiet:9")
    text = await tap(phone, page, "md:quiet:9-16")
    assert says(text, "Nor from {start} to {end}, as you chose.")
    assert "16:00" in text  # ten o'clock is theirs: asked once they are up
    row = await town.row(phone)
    assert (row.quiet_from, row.quiet_to) == (9, 16)

    await tap(phone, page, "md:hours")
    assert "10:00" not in page.labels
    assert "17:00" in page.labels
    await tap(phone, page, "md:rhythm")

    # The whole day is refused, in words, and nothing changes.
    await tap(phone, page, "md:quiet")
    await tap(phone, page, "md:quiet:8")
    refused = await tap(phone, page, "md:quiet:8-21")
    assert "一整天" in refused
    assert (await town.row(phone)).quiet_to == 16

    await tap(phone, page, "md:rhythm")
    await tap(phone, page, "md:quiet")
    await tap(phone, page, "md:quiet:21-8")
    row = await town.row(phone)
    assert (row.quiet_from, row.quiet_to) == (21, 8)
    for bad in ("md:quiet:22-7", "md:quiet:8-8", "md:quiet:99"):
        assert (await phone.forge(page, bad).answered()).text
    assert (await town.row(phone)).quiet_from == 21


async def test_the_hour_follows_the_answers(town: Town) -> None:
    phone = await town.worker("小芳")
    await at_eight(town)
    minutes = []
    for _ in range(3):
        await asked_next(town)
        town.move(hours=3)
        question = await question_of(town, phone)
        town.move(hours=8, minutes=30)  # half past seven in the evening
        await tap(phone, question, "ci:")
        minutes.append((await town.row(phone)).usual_minute)
        town.move(hours=-11, minutes=-30)
    assert minutes == [630, 660, 690]
    page = await open_page(town, phone)
    assert says(page, "You usually answer around {time}, so we ask then.")
    assert "11:30" in page.text
    assert "11:30" in (await write(phone, word("My data"))).text


async def test_an_answer_counts_though_its_rule_cannot_be_read(town: Town) -> None:
    phone = await town.worker("小芳")
    await at_eight(town)
    await asked_next(town)
    town.move(hours=3)
    question = await question_of(town, phone)
    async with town.db.write() as tx:
        await tx.execute(update(Rule).values(terms="{"))
    await tap(phone, question, "ci:")
    assert [row.answer for row in await town.rows(Checkin)] == ["ok"]
    assert (await town.row(phone)).usual_minute is None


async def test_what_says_nothing_of_their_day_moves_no_hour(town: Town) -> None:
    phone = await town.worker("小芳")
    await town.rollcall("都平安吗？")
    await question_of(town, phone)
    await write(phone, "平安")
    await eventually(lambda: all_answered(town))
    assert (await town.row(phone)).usual_minute is None

    await at_eight(town)
    await asked_next(town)
    town.move(hours=3)
    await question_of(town, phone)
    async with town.db.write() as tx:  # a nudge went out before
        await tx.execute(update(Checkin).values(stage=1))
    town.move(hours=9)
    await write(phone, "平安")
    await eventually(lambda: all_answered(town))
    assert (await town.row(phone)).usual_minute is None

    town.move(hours=-12)
    await asked_next(town)
    town.move(hours=3)
    await question_of(town, phone)
    async with town.db.write() as tx:  # fixed by the worker
        await tx.execute(update(Person).values(ask_minute=600))
    town.move(hours=9)
    await write(phone, "平安")
    await eventually(lambda: all_answered(town))
    assert (await town.row(phone)).usual_minute is None
    assert [row.answer for row in await town.rows(Checkin)] == ["ok"] * 3


async def test_a_country_with_several_clocks_asks_which(town: Town) -> None:
    phone = await town.worker("小芳")
    news = await write(phone, word("My news"))
    await tap(phone, news, "nw:place")
    await phone.heard()
    question = await write(phone, "美国", answers=2)
    assert says(
        question,
        "{place} has more than one clock. What time is it where you are? "
        "Then nothing from us comes at night.",
    )
    assert "07:00 · 纽约" in question.labels  # noon by the world's clock
    assert "04:00 · 洛杉矶" in question.labels
    assert (await town.row(phone)).timezone == "America/New_York"  # until they say
    await tap(phone, question, "md:zone:America/Los_Angeles")
    assert (await town.row(phone)).timezone == "America/Los_Angeles"
    assert "04:00" in question.text
    await tap(phone, question, "md:clock")  # a slip of the thumb
    await tap(phone, question, "md:clock:America/Chicago")
    assert (await town.row(phone)).timezone == "America/Chicago"
    await phone.forge(question, "md:zone:Asia/Omsk").answered()
    assert (await town.row(phone)).timezone == "America/Chicago"

    # A place that settles it needs no question; one nobody knows leaves the clock as it is.
    for said, zone in (("新加坡", "Asia/Singapore"), ("挪威", "Europe/Oslo")):
        await tap(phone, await write(phone, word("My news")), "nw:place")
        await phone.heard()
        await write(phone, said)
        assert (await town.row(phone)).timezone == zone
    await tap(phone, await write(phone, word("My news")), "nw:place")
    await phone.heard()
    await write(phone, "二叔家的矿上", answers=2)
    assert (await town.row(phone)).timezone == "Europe/Oslo"

    page = await open_page(town, phone)
    await tap(phone, page, "md:clock")
    await tap(phone, page, "md:clock:Africa/Lagos")
    assert (await town.row(phone)).timezone == "Africa/Lagos"
    await phone.forge(page, "md:clock:Mars/Phobos").answered()
    assert (await town.row(phone)).timezone == "Africa/Lagos"
    await tap(phone, page, "md:clock:village")
    assert (await town.row(phone)).timezone is None
    assert says(page, "We don't know where you are, so we go by your village's clock: {time} now.")


async def notice(town: Town, text: str = "免费体检") -> None:
    async with town.db.write() as tx:
        area = await find_area(tx, "V")
        await plan_broadcast(tx, area=area, text=text, language=None, by=None, now=town.clock())
    town.service.delivery.nudge()


async def held(town: Town) -> bool:
    return await town.count(Delivery, Delivery.reason == "quiet hours") == 1


@pytest.mark.parametrize("chosen", [(21, 8), (22, 7), (12, 14)])
async def test_what_was_due_before_nine_waits_for_the_morning(
    town: Town, chosen: tuple[int, int]
) -> None:
    """Whatever hours one chose, the night is the night."""
    phone = await town.worker("小芳")
    async with town.db.write() as tx:
        await set_quiet_hours(tx, await town.known(phone), *chosen)
    town.move(hours=1, minutes=10)  # ten past nine
    await notice(town)
    await eventually(lambda: held(town))
    (waiting,) = await town.rows(Delivery)
    assert (waiting.not_before - town.clock()) < timedelta(hours=11)
    assert waiting.not_before.hour == 0  # eight in China
    town.move(hours=10, minutes=51)
    (arrived,) = await phone.heard()
    assert "免费体检" in arrived.text


async def test_who_travels_has_the_night_of_where_they_are(town: Town) -> None:
    phone = await town.worker("小芳")
    async with town.db.write() as tx:  # off to Tokyo, where it is nine already
        await set_place(tx, await town.known(phone), find_place("东京"), None)
    town.move(minutes=1)
    await notice(town)
    await eventually(lambda: held(town))
    (waiting,) = await town.rows(Delivery)
    assert waiting.not_before.hour == 23  # eight in Tokyo
    async with town.db.write() as tx:
        await set_place(tx, await town.known(phone), find_place("东莞"), None)
    town.move(hours=11)
    await eventually(lambda: looked_at_again(town))
    assert await held(town)
    town.move(hours=1)
    (arrived,) = await phone.heard()
    assert "免费体检" in arrived.text


async def looked_at_again(town: Town) -> bool:
    (waiting,) = await town.rows(Delivery)
    return bool(waiting.not_before.hour == 0)


async def test_the_channel_they_chose_and_the_other_when_it_is_blocked(town: Town) -> None:
    phone = await town.worker("小芳")
    who = await town.known(phone)
    async with town.db.write() as tx:
        await tx.execute(
            insert(Account).values(
                person_id=who.person_id,
                channel="web",
                bot_id=1,
                chat_id=77,
                state_at=town.clock() - timedelta(days=60),
                created_at=town.clock() - timedelta(days=60),
            )
        )
    await notice(town, "第一条")
    assert "第一条" in (await phone.heard())[0].text

    page = await open_page(town, phone)
    await tap(phone, page, "md:channel")
    chosen = await tap(phone, page, "md:channel:web")
    assert word("the web chat") in chosen
    await notice(town, "第二条")
    await eventually(lambda: sent_to_web(town, 1))

    async with town.db.write() as tx:
        await tx.execute(update(Account).where(Account.channel == "web").values(state="blocked"))
    phone.skip()
    town.move(days=8)  # a week takes no more than two notices
    await notice(town, "第三条")
    assert "第三条" in (await phone.heard())[0].text
    page = await open_page(town, phone)
    assert word("Telegram or web") not in page.labels
    await phone.forge(page, "md:channel:web").answered()

    async with town.db.write() as tx:
        await tx.execute(update(Account).where(Account.channel == "web").values(state="reachable"))
    page = await open_page(town, phone)
    await tap(phone, page, "md:channel")
    await tap(phone, page, "md:channel:last")
    assert (await town.row(phone)).prefers is None


async def sent_to_web(town: Town, number: int) -> bool:
    (account,) = await town.rows(Account, Account.channel == "web")
    where = (Delivery.account_id == account.id, Delivery.state == "sent")
    return await town.count(Delivery, *where) == number


async def test_a_slower_rhythm_is_quiet_and_not_silent(town: Town) -> None:
    """In the week in which they are not asked they count as quiet; when asked, as anyone."""
    slow, usual = await town.worker("小芳"), await town.worker("小明")
    usual_id = (await town.known(usual)).person_id
    page = await open_page(town, slow)
    await tap(slow, page, "md:often")
    await tap(slow, page, "md:slower:1")
    await write(usual, word("My data"))
    await at_eight(town)
    for count in (1, 2):
        await asked_next(town)
        town.move(hours=3)
        (question,) = (await usual.heard())[-1:]
        assert question.buttons
        usual.skip()
        await eventually(lambda: all_delivered(town))
        town.move(hours=-3)
        assert await town.count(Checkin, Checkin.person_id == usual_id) == count
    town.move(hours=4)
    quiet = [await is_quiet(town, week) for week in ("2026-W48", "2026-W49")]
    assert sorted(quiet) == [False, True]
    slow_id = (await town.known(slow)).person_id
    asked = [row.slot for row in await town.rows(Checkin, Checkin.person_id == slow_id)]
    assert len(asked) == 1
    assert len(await town.rows(Checkin, Checkin.person_id != slow_id)) == 2


async def is_quiet(town: Town, week: str) -> bool:
    """Whether the village's one slow worker was quiet that week, or else unanswered."""
    async with town.db.read() as tx:
        area = await find_area(tx, "V")
        figures = (
            await compute_register(tx, area, parse_period(week, area.timezone), town.clock())
        ).as_json()
    silence = figures["silence"]
    assert silence["unasked"] == 0
    assert silence["quiet"] + silence["unanswered"] == 2
    return bool(silence["quiet"] == 1)
