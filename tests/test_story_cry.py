"""A cry for help in words: what is written counts like a tap, and no word is lost."""

from storage.models import Case, Checkin
from storage.people.places import find_place
from storage.people.status import set_place
from tests.test_story_checkin import asked
from tests.town import Town, data_of, says, tap, town, town_now, word, write

__all__ = ["town", "town_now"]
URGENT = "We've told {n} person who looks after your village, right now."
HOW = "We're here. How urgent is it?"


async def test_urgent_words_are_told_at_once_with_emergency_numbers(town: Town) -> None:
    liaison = await town.officer("老韦")
    for cry, words in (
        ("求助", "很急，工地出事了"),
        ("sos", "出车祸了"),
        ("救命", "fire! call police"),
    ):
        phone = await town.worker(f"工人{words[:2]}")
        assert data_of(await write(phone, cry), "hp:urgent")
        liaison.skip()
        told = await write(phone, words)
        for part in ("马上", "110", "120", "119"):
            assert part in told.text, words
        (alarm,) = await liaison.heard()
        assert "急" in alarm.text
        assert words in alarm.text
    assert await town.count(Case, Case.urgent, Case.kind == "help") == 3


async def test_how_soon_alone_waits_for_what_has_happened(town: Town) -> None:
    liaison, phone = await town.officer("老韦"), await town.worker("Fang", language="en")
    await write(phone, "help")
    told = await write(phone, "Urgent!")
    assert "We don't know which country you are in." in told.text
    assert "If you are in China: police 110" in told.text
    assert "112" in told.text
    assert says(
        told,
        "Write here what has happened and where you are, or send a voice message.",
        "en",
    )
    (alarm,) = await liaison.heard()
    liaison.skip()
    await write(phone, "The scaffold came down")
    (more,) = await liaison.heard()
    assert "The scaffold came down" not in alarm.text
    assert "The scaffold came down" in more.text
    # What is written after that belongs to the call, and is answered as such.
    assert "didn't get that" not in (await write(phone, "Two of us are under it")).text


async def test_what_it_is_about_is_kept_and_urgency_asked_again(town: Town) -> None:
    liaison, phone = await town.officer("老韦"), await town.worker("小芳")
    boss = await town.officer("镇主任", "T", role="supervisor")
    await write(phone, word("Help"))
    again = await write(phone, "老板不给我们吃饭")
    assert says(again, HOW)
    (asks,) = await liaison.heard()
    assert "老板不给我们吃饭" in asks.text
    liaison.skip()
    told = await tap(phone, again, "hp:urgent")
    assert "110" in told
    assert says(told, "Where are you? Write the country and the city here.")
    for officer in (liaison, boss):
        (alarm,) = await officer.heard()
        assert "老板不给我们吃饭" in alarm.text
    assert await town.count(Case) == 1


async def test_words_can_say_that_it_can_wait_or_that_all_is_well(town: Town) -> None:
    liaison, phone = await town.officer("老韦"), await town.worker("小芳")
    await write(phone, "求助")
    calm = await write(phone, "不急，就是想问社保怎么转")
    assert "老韦" in calm.text
    (asks,) = await liaison.heard()
    assert "社保" in asks.text
    await write(phone, "求助")
    assert says(
        await write(phone, "不急"), "Tell us in your own words, or send a voice message or a photo."
    )
    await write(phone, "求助")
    await write(phone, "没事了")
    assert await town.count(Case, Case.urgent) == 0
    assert await town.count(Case) == 1
    # A nod says nothing: it is asked again, and nothing is filed.
    await write(phone, "求助")
    assert says(await write(phone, "好"), HOW)


async def test_a_cry_out_of_the_blue_is_asked_how_urgent(town: Town) -> None:
    liaison = await town.officer("老韦")
    phone, moving = await town.worker("Fang", language="en"), await town.worker("小芳")
    asked_how = await write(phone, "accident, my leg is broken")
    assert says(asked_how, HOW, "en")
    (asks,) = await liaison.heard()
    assert "my leg is broken" in asks.text
    liaison.skip()
    assert "110" in (await write(phone, "yes very urgent")).text
    (alarm,) = await liaison.heard()
    assert "my leg is broken" in alarm.text
    # Asked for a place, a cry is none.
    (question,) = await asked(town, moving)
    await phone.heard()
    await tap(moving, question, data_of(question, "ci:").replace(":ok", ":moved"))
    await moving.heard()
    assert says(await write(moving, "出车祸了"), HOW)
    assert (await town.row(moving)).place is None
    assert await town.count(Checkin, Checkin.answer == "moved") == 1


async def test_who_takes_a_cry_back_is_not_left_urgent(town: Town) -> None:
    liaison, phone = await town.officer("老韦"), await town.worker("小芳")
    await write(phone, "我被打了")
    await liaison.heard()
    liaison.skip()
    assert says(await write(phone, "没事了"), "Got it, {time}. Glad you're well.")
    (back,) = await liaison.heard()
    assert "没事了" in back.text
    assert await town.count(Case, Case.urgent) == 0


async def test_where_the_country_is_not_known_no_country_is_claimed(town: Town) -> None:
    liaison, phone = await town.officer("老韦"), await town.worker("Fang", language="en")
    told = await tap(phone, await write(phone, "Help"), "hp:urgent")
    assert "In China:" not in told
    assert "If you are in China: police 110" in told
    assert "112" in told
    (alarm,) = await liaison.heard()
    assert says(alarm, "Where they are is not known.")
    # The place shared or written is heard, and the call goes on.
    liaison.skip()
    await phone.send_location(13.75, 100.5)
    await phone.heard()
    async with town.db.write() as tx:
        await set_place(tx, await town.known(phone), None, None)
    assert "In Thailand: police 191" in (await write(phone, "Bangkok, Thailand")).text
    (more,) = await liaison.heard()
    assert "Bangkok" in more.text


async def test_where_it_is_known_its_numbers_come_and_only_more_is_asked(town: Town) -> None:
    await town.officer("老韦")
    phone = await town.worker("Fang", language="en")
    async with town.db.write() as tx:
        await set_place(tx, await town.known(phone), find_place("泰国"), None)
    told = await write(phone, "I was stabbed")
    assert data_of(told, "hp:urgent")
    told = await write(phone, "urgent")
    assert "In Thailand: police 191" in told.text
    assert "112" not in told.text
    assert says(told, "If there is more to say, write it here, or send a voice message.", "en")
