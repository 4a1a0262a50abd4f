"""A roll call's stories on Telegram: begun in the chat, watched as it changes, ended, told."""

from sqlalchemy import select, update

from storage.models import Area, Case, Delivery, Look, Person, Rollcall, RollcallView
from storage.register.contacts import log_attempt
from tests.botapi import Message, PrivateConversation
from tests.town import Town, data_of, eventually, says, tap, town, word, write

__all__ = ["town"]

USUAL = "Is everything all right where you are?"


async def begin(town: Town, officer: PrivateConversation, act: str = "urgent") -> Message:
    """Everyone of the officer's village, in the usual words; the message with the figures."""
    where = await write(officer, "点名")
    await tap(officer, where, "rp:take")
    officer.skip()
    await officer.tap(where, data_of(where, "rd:usual"))
    preview, question = await officer.heard(2)
    assert says(preview, USUAL)
    await tap(officer, question, f"rd:{act}")
    return question


async def ticked(town: Town, watched: Message, *holds: str) -> None:
    """The figures come to stand in the officer's message by themselves."""
    await town.api.wait_until(lambda: all(text in watched.text for text in holds), 15)


async def test_from_the_first_tap_to_the_summary(town: Town) -> None:
    liaison = await town.officer("老韦")
    fang, ming, qiang, far = [await town.worker(name) for name in ("小芳", "小明", "阿强", "远远")]
    live = await begin(town, liaison)
    for phone in (fang, ming, qiang, far):
        (asked,) = await phone.heard()
        assert says(asked, "{area} is asking everyone:")
    await ticked(town, live, "○", "4")

    await fang.tap(fang.last, data_of(fang.last, "ci:"))
    await write(ming, "平安")
    await ticked(town, live, "●", f"{word('safe')}：2")
    before = len(liaison.messages)
    await write(qiang, "需要帮助", 1)
    await ticked(town, live, f"{word('need help')}：1")
    assert len(liaison.messages) == before  # one message that changes, none besides

    # Who has not answered: names and numbers, and each of them can see who looked.
    liaison.skip()
    await liaison.tap(live, data_of(live, "rl:"))
    (listed,) = await liaison.heard()
    assert "阿强" in listed.text
    liaison.skip()
    await liaison.tap(live, _silent(live))
    (listed,) = await liaison.heard()
    assert "远远" in listed.text
    assert word("no phone number") in listed.text
    assert await town.count(Look, Look.what == "rollcall") == 2

    # Asked again in half an hour, only who is silent, in other words.
    for phone in (fang, ming, qiang, far):
        phone.skip()
    town.move(minutes=31)
    (again,) = await far.heard()
    assert says(again, "{area} hasn't heard from you yet. One tap is enough, and we can rest easy.")
    assert data_of(again, "ci:")

    liaison.skip()
    await liaison.tap(live, data_of(live, f"rc:{(await _call(town)).id}:close"))
    (sure,) = await liaison.heard()
    await tap(liaison, sure, f"rc:{(await _call(town)).id}:sure")
    for phone in (fang, ming, far):
        over = await phone.wait_for(
            lambda m: says(m, "There is word of everyone but {n}, and we go on looking.")
        )
        assert not any(name in over.text for name in ("小芳", "小明", "阿强", "远远"))
    report = await liaison.wait_for(lambda m: says(m, "No word of:"))
    assert "远远" in report.text
    ended = "Over since {time}. Who answers now is counted all the same."
    await town.api.wait_until(lambda: says(live, ended), 15)
    await eventually(lambda: _no_views(town))

    # Late, and welcome.
    late = far.last
    await far.tap(late, data_of(late, "ci:"))
    await far.wait_for(
        lambda m: (
            m is late
            and says(
                m, "Got it, {time}. The roll call is over, and it is good to know you're safe."
            )
        )
    )
    town.move(hours=30)
    await town.settled()
    assert await town.count(Delivery, Delivery.template == "rollcall_over") <= 4


async def test_whoever_gave_word_in_another_way_is_thanked(town: Town) -> None:
    liaison = await town.officer("老韦")
    wrote, called, far = [await town.worker(name) for name in ("小芳", "小明", "远远")]
    live = await begin(town, liaison)
    for phone in (wrote, called, far):
        await phone.heard()
    await write(wrote, "路断了，手机快没电")
    async with town.db.write() as tx:
        who, by = [(await town.known(each)).person_id for each in (called, liaison)]
        await log_attempt(
            tx, person_id=who, by=by, kind="call", reached=True, note=None, now=town.clock()
        )
    await ticked(town, live, f"{word('word of them in another way')}：2")
    for phone in (liaison, wrote, called, far):
        phone.skip()
    call = (await _call(town)).id
    await liaison.tap(live, data_of(live, f"rc:{call}:close"))
    (sure,) = await liaison.heard()
    await tap(liaison, sure, f"rc:{call}:sure")
    known = "There is word of everyone but {n}, and we go on looking."
    ends = {
        wrote: "Thank you for answering.",
        called: "We have had word of you; a tap of your own is welcome, too.",
        far: "A word from you is still welcome, whenever you can.",
    }
    for phone, last in ends.items():
        over = await phone.wait_for(lambda m: says(m, known))
        assert [says(over, end) for end in ends.values()] == [end == last for end in ends.values()]
        assert bool(over.buttons) == (phone is not wrote)
        assert word(known, n=1) in over.text
    report = await liaison.wait_for(lambda m: says(m, "No word of:"))
    assert f"{word('word of them in another way')}：2" in report.text
    assert f"{word('no answer yet')}：1" in report.text


def _silent(live: Message) -> str:
    found = [
        button["callback_data"]
        for row in live.buttons
        for button in row
        if ":silent:" in button.get("callback_data", "")
    ]
    assert found, live
    return str(found[0])


async def _no_views(town: Town) -> bool:
    return await town.count(RollcallView) == 0


async def _call(town: Town) -> Rollcall:
    (call,) = await town.rows(Rollcall)
    found: Rollcall = call
    return found


async def test_a_destination_in_own_words_by_the_supervisor(town: Town) -> None:
    boss = await town.officer("镇里", "T", role="supervisor")
    liaison = await town.officer("老韦", "V")
    there, elsewhere = await town.worker("小芳", "V"), await town.worker("小明", "W")
    async with town.db.write() as tx:
        who = await town.known(there)
        await tx.execute(
            update(Person)
            .where(Person.id == who.person_id)
            .values(country="CN", province="Guangdong", city="dongguan")
        )
    page = await write(boss, "点名")
    await tap(boss, page, "la:rollcall")
    country = await tap(boss, page, "rp:open")
    assert "中国" in str(page.buttons), country
    await tap(boss, page, f"rp:open:{await _area(town, 'T')}:CN:Guangdong")
    await tap(boss, page, f"rp:take:{await _area(town, 'T')}:CN:Guangdong:dongguan")
    boss.skip()
    await boss.write("东莞发大水了，你在高处吗？")
    preview, question = await boss.heard(2)
    assert "东莞发大水了" in preview.text
    await tap(boss, question, "rd:urgent")
    (asked,) = await there.heard()
    assert "东莞" in asked.text
    assert "你在高处吗？" in asked.text
    assert not elsewhere.messages
    # The village's liaison sees the part that is theirs, and cannot end it.
    running = await write(liaison, "点名")
    await tap(liaison, running, "rc:")
    assert word("Of those you look after.") in running.text
    assert ":close" not in str(running.buttons)


async def _area(town: Town, code: str) -> int:
    async with town.db.read() as tx:
        return int(await tx.scalar(select(Area.id).where(Area.code == code)))


async def test_not_at_night_when_it_is_not_urgent(town: Town) -> None:
    liaison = await town.officer("老韦")
    worker = await town.worker("小芳")
    town.move(hours=4)  # midnight
    await begin(town, liaison, "calm")
    await town.settled()
    (waits,) = await town.rows(Delivery, Delivery.template == "rollcall")
    assert not waits.urgent
    assert not worker.messages
    town.move(hours=8.5)
    (asked,) = await worker.heard()
    assert says(asked, USUAL)
    town.move(hours=1)
    await town.settled()
    assert await town.count(Delivery, Delivery.template == "rollcall_nudge") == 0


async def test_nobody_there_and_an_old_draft(town: Town) -> None:
    liaison = await town.officer("老韦")
    said = await write(liaison, "点名")
    assert says(said, "There is nobody to ask there now: {whom}.")
    await town.worker("小芳")
    where = await write(liaison, "点名")
    await tap(liaison, where, "rp:take")
    liaison.skip()
    await liaison.write("第一句")
    _, first = await liaison.heard(2)
    liaison.skip()
    await liaison.write("第二句")
    _, second = await liaison.heard(2)
    await liaison.tap(first, data_of(first, "rd:urgent"))
    await tap(liaison, second, "rd:cancel")
    assert await town.count(Rollcall) == 0


async def test_help_opens_an_urgent_case_as_ever(town: Town) -> None:
    liaison = await town.officer("老韦")
    worker = await town.worker("小芳")
    await begin(town, liaison)
    (asked,) = await worker.heard()
    worker.skip()
    await worker.tap(asked, asked.buttons[3][0]["callback_data"])
    urgency = await worker.wait_for(lambda m: says(m, "We're here. How urgent is it?"))
    await tap(worker, urgency, "hp:urgent")
    await liaison.wait_for(lambda m: "小芳" in m.text)
    async with town.db.read() as tx:
        assert await tx.scalar(select(Case.urgent))
