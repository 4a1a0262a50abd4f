"""A worker and those at home, on Telegram: invited, asked, answering, unasked, and no longer."""

import re

import pytest
from sqlalchemy import delete

from handlers.relative.words import as_kin_answer
from storage.models import (
    Account,
    CaseMessage,
    Checkin,
    Consent,
    Contact,
    Kin,
    KinQuestion,
    Look,
    Person,
)
from storage.people.areas import find_area
from tests.botapi import Message, PrivateConversation
from tests.one_family import ask_kin
from tests.town import Town, says, tap, town, word, write

__all__ = ["town"]

MINE = "My data"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What the databases do differently here, ``test_kin_…`` ask of both."""
AGREED = (
    "{name} has agreed, and can say for you now that all is well. "
    'Under "My data" you can end it any time.'
)
STOPPED = '{name} does not speak for you any more. Under "My data" you can invite someone else.'
GONE = "This link leads nowhere any more. Please ask whoever sent it."
NOTED = "Noted, {time}: {name} is fine. Thank you, that is good to know."
ASKED = "Have you heard from {name} lately? One tap, and we know."
OVER = "You will not be asked about {name} any more. Thank you for having been there."


async def family_page(phone: PrivateConversation, language: str = "zh") -> Message:
    """My data, and from there the page of those at home."""
    page = await write(phone, word(MINE, language))
    await tap(phone, page, "md:family")
    return page


async def invited(town: Town, phone: PrivateConversation, language: str = "zh") -> str:
    """A link from the worker's own hands: its token."""
    page = await family_page(phone, language)
    await tap(phone, page, "md:kin_new")
    await tap(phone, page, "md:kin_link")
    (link,) = await phone.heard()
    found = re.search(r"https://t\.me/kinroom_bot\?start=(r[\w-]{21})", link.text)
    assert found is not None, link.text
    assert f"{town.settings.public_url}/chat/?start={found[1]}" in link.text
    return found[1]


async def agree(
    town: Town, phone: PrivateConversation, token: str, name: str = "妈妈", language: str = "zh"
) -> Message:
    """The whole way of someone new; the last message."""
    await phone.start(token)
    (asked,) = await phone.heard()
    await tap(phone, asked, f"en:lang:{language}")
    await tap(phone, asked, "en:agree")
    await phone.heard()
    del town
    return await write(phone, name)


async def pair(town: Town) -> tuple[PrivateConversation, PrivateConversation]:
    """小芳, away, and her mother."""
    fang = await town.worker("小芳")
    mum = town.phone("Mum")
    await agree(town, mum, await invited(town, fang))
    await fang.heard()  # that she agreed
    return fang, mum


async def ask(town: Town, *phones: PrivateConversation) -> int:
    """The families are asked about a check-in, as when its time is over; the last question."""
    await town.rollcall("都好吗？")
    question = None
    for phone in phones:
        who = await town.known(phone)
        (checkin,) = await town.rows(Checkin, Checkin.person_id == who.person_id)
        async with town.db.write() as tx:
            question = await ask_kin(tx, checkin.id, who.person_id, town.clock())
    assert question is not None
    town.service.delivery.nudge()
    return question


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_from_the_workers_link_to_both_knowing(town: Town, language: str) -> None:
    fang = await town.worker("小芳", language=language)
    page = await family_page(fang, language)
    assert says(page, "Nobody of your family speaks for you yet.", language)
    token = await invited(town, fang, language)
    before = await town.everything()
    mum = town.phone("Mum")
    await mum.start(token)
    (asked,) = await mum.heard()
    assert says(asked, "You have this link from {name}.", language)
    assert "小芳" in asked.text
    consent = await tap(mum, asked, f"en:lang:{language}")
    assert len([line for line in consent.splitlines() if line.startswith("•")]) == 4
    assert asked.labels == [word("Agree", language), word("Decline", language)]
    assert await town.everything() == before  # nothing is kept before she agrees
    await tap(mum, asked, "en:agree")
    (name_asked,) = await mum.heard()
    assert says(name_asked, "What shall we call you? {name} will see it.", language)
    owed = await write(mum, word("My data", language))  # a button of old; the name is still owed
    assert says(owed, "What we hold about you:", language)
    assert says(
        await write(mum, "menu"),
        'One thing first: what shall we call you? If you changed your mind, write "leave", '
        "and nothing is kept.",
        language,
    )
    done = await write(mum, "妈妈" if language == "zh" else "Mum")
    assert "小芳" in done.text
    labels = [label for row in mum.keyboard or [] for label in row]
    assert labels == [word("I've heard from my family", language), word(MINE, language)]
    (told,) = await fang.heard()
    assert says(told, AGREED, language)
    page = await family_page(fang, language)
    assert ("妈妈" if language == "zh" else "Mum") in page.text
    given = {(row.purpose, row.given) for row in await town.rows(Consent)}
    assert given == {("contact", True), ("vouch", True), ("relative", True)}
    who = await town.known(mum)
    assert (who.is_relative, who.is_worker, who.timezone) == (True, False, "Asia/Shanghai")
    again = town.phone("Aunt")
    await again.start(token)
    (refused,) = await again.heard()
    assert says(refused, "This link has been used. Please ask whoever sent it for a new one.")
    assert await town.who(again) is None


@on_sqlite
async def test_declining_leaves_nothing_and_the_link_good(town: Town) -> None:
    fang = await town.worker("小芳")
    token = await invited(town, fang)
    before = await town.everything()
    mum = town.phone("Mum")
    await mum.start(token)
    (asked,) = await mum.heard()
    await tap(mum, asked, "en:lang:zh")
    said = await tap(mum, asked, "en:decline")
    assert says(said, "That's fine. Nothing was kept. The link stays good if you change your mind.")
    assert await town.everything() == before
    assert "小芳" in (await agree(town, mum, token)).text


@on_sqlite
async def test_links_that_let_nobody_in(town: Town) -> None:
    fang = await town.worker("小芳")
    own, old, gone = [await invited(town, fang) for _ in range(3)]
    await fang.start(own)
    (said,) = await fang.heard()
    assert says(
        said, "This link is for someone at home. Pass it on to them; it does nothing for you."
    )
    mum = town.phone("Mum")

    async def opened(token: str) -> Message:
        mum.skip()
        await mum.start(token)
        return (await mum.heard())[0]

    assert says(await opened("r" + "A" * 21), GONE)
    assert says(
        await opened("r123"), "This link is not whole. Please open it again, or ask for a new one."
    )
    page = await family_page(fang)
    await tap(fang, page, "md:kin_back")
    assert says(page, "The link is taken back; it lets nobody in now.")
    assert says(await opened(own), GONE)
    town.move(days=15)
    assert says(
        await opened(old), "This link is too old. Please ask whoever sent it for a new one."
    )
    page = await write(fang, "离开")
    await tap(fang, page, "md:erase")
    assert says(await opened(gone), GONE)
    assert await town.who(mum) is None


@on_sqlite
async def test_people_known_already_agree_to_this_alone(town: Town) -> None:
    fang, mum = await pair(town)
    ming, boss = await town.worker("阿明"), await town.officer("老韦")
    for phone, inviter in ((ming, fang), (boss, fang), (mum, ming)):
        token = await invited(town, inviter)
        phone.skip()
        await phone.start(token)
        (asked,) = await phone.heard()
        assert asked.labels == [word("Agree"), word("Decline")]
        assert says(await tap(phone, asked, "kl:decline"), "All right, nothing has changed.")
        phone.skip()
        await phone.start(token)
        (asked,) = await phone.heard()
        await tap(phone, asked, "kl:agree")
        await phone.heard()
        (told,) = await inviter.heard()
        assert says(told, AGREED)
        # The same person once more: there is nothing to agree to.
        second = await invited(town, inviter)
        phone.skip()
        await phone.start(second)
        (said,) = await phone.heard()
        assert says(said, "You agreed to this already, so there is nothing more to do. Thank you.")
    assert ming.keyboard is not None
    assert [word("I've heard from my family")] in ming.keyboard
    assert (await town.known(ming)).is_worker
    assert await town.count(Consent, Consent.purpose == "relative", Consent.given) == 4
    page = await write(mum, word("I've heard from my family"))
    assert [label for row in page.buttons for label in [row[0]["text"]]] == [
        word("{name} is fine", name="小芳"),
        word("{name} is fine", name="阿明"),
    ]


@pytest.mark.parametrize("how", ["tap", "word", "reply"])
async def test_fine_is_word_of_her(town: Town, how: str) -> None:
    fang, mum = await pair(town)
    question = await ask(town, fang)
    (asked,) = await mum.heard()
    assert says(asked, ASKED)
    assert asked.labels == [
        word("Yes, and all is well"),
        word("Not lately"),
        word("Better give them a call"),
    ]
    if how == "tap":
        receipt = await tap(mum, asked, f"ka:{question}:fine")
    elif how == "word":
        receipt = (await write(mum, "有，昨天刚通过电话")).text
        # More than a word: the liaison reads it, and the question is still open.
        assert await town.count(CaseMessage) == 1
        receipt = (await write(mum, "有消息。")).text
    else:
        mum.skip()
        await mum.reply(asked, "平安")
        receipt = (await mum.heard())[0].text
    assert says(receipt, NOTED)
    (contact,) = await town.rows(Contact, Contact.evidence == "relative")
    about = await town.known(fang)
    assert (contact.person_id, contact.kind, contact.success) == (about.person_id, "vouch", True)
    if how == "tap":
        await mum.forge(asked, f"ka:{question}:no").answered()
    assert [row.answer for row in await town.rows(KinQuestion)] == ["fine"]


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        ("no", "Thank you for telling us, {time}. Once you hear from {name}, one tap does it."),
        ("call", "Thank you, {time}. We pass it on to the liaison of {area}, who will call."),
    ],
)
@on_sqlite
async def test_other_answers_are_kept_and_no_word_of_her(
    town: Town, answer: str, receipt: str
) -> None:
    fang, mum = await pair(town)
    await ask(town, fang)
    await mum.heard()
    said = await write(mum, {"no": "最近没有", "call": "打个电话"}[answer])
    assert says(said, receipt)
    assert [row.answer for row in await town.rows(KinQuestion)] == [answer]
    assert await town.count(Contact, Contact.evidence == "relative") == 0


@on_sqlite
async def test_an_answer_too_late_offers_the_other_way(town: Town) -> None:
    fang, mum = await pair(town)
    await ask(town, fang)
    (asked,) = await mum.heard()
    town.move(hours=25)
    said = await tap(mum, asked, "ka:")
    assert says(said, "That question is over. If you have heard from {name} since, tap below.")
    assert await town.count(Contact, Contact.evidence == "relative") == 0
    said = await tap(mum, asked, "kn:fine")
    assert says(said, NOTED)
    assert await town.count(Contact, Contact.evidence == "relative") == 1


@on_sqlite
async def test_word_unasked_once_a_day(town: Town) -> None:
    _, mum = await pair(town)
    for sentence in (
        NOTED,
        "We noted that today already; once a day is enough. Thank you.",
    ):
        page = await write(mum, word("I've heard from my family"))
        assert says(await tap(mum, page, "kn:fine"), sentence)
    # The bare word is asked back, for it might be about herself.
    page = await write(mum, "平安")
    assert page.labels == [word("{name} is fine", name="小芳")]
    assert says(await write(mum, "没有"), "There is no question open now.")
    assert await town.count(Contact, Contact.evidence == "relative") == 1


@on_sqlite
async def test_who_speaks_for_two_is_asked_which(town: Town) -> None:
    fang, mum = await pair(town)
    ming = await town.worker("阿明")
    token = await invited(town, ming)
    mum.skip()
    await mum.start(token)
    (consent,) = await mum.heard()
    await tap(mum, consent, "kl:agree")
    await mum.heard()
    await ask(town, fang, ming)
    await mum.heard(2)
    which = await write(mum, "没有")
    assert says(which, "Whom do you mean?")
    assert which.labels == ["小芳", "阿明"]
    await mum.tap(which, which.buttons[1][0]["callback_data"])
    await mum.wait_for(lambda m: m is which and not m.buttons)
    answered = {row.answer for row in await town.rows(KinQuestion)}
    assert answered == {None, "no"}


@on_sqlite
async def test_a_worker_who_is_family_answers_for_the_right_one(town: Town) -> None:
    fang = await town.worker("小芳")
    ming = await town.worker("阿明")
    token = await invited(town, fang)
    ming.skip()
    await ming.start(token)
    (consent,) = await ming.heard()
    await tap(ming, consent, "kl:agree")
    await ming.heard()
    await ask(town, fang)
    asked = await ming.wait_for(lambda m: says(m, ASKED))
    ming.skip()
    await ming.write("平安")  # his own roll call's answer
    await ming.heard()
    assert [row.answer for row in await town.rows(KinQuestion)] == [None]
    ming.skip()
    await ming.reply(asked, "平安")
    (receipt,) = await ming.heard()
    assert says(receipt, NOTED)
    vouched = {row.person_id for row in await town.rows(Contact, Contact.evidence == "relative")}
    assert vouched == {(await town.known(fang)).person_id}


@on_sqlite
async def test_the_worker_ends_it(town: Town) -> None:
    fang, mum = await pair(town)
    await ask(town, fang)
    (asked,) = await mum.heard()
    page = await family_page(fang)
    said = await tap(fang, page, "md:kin_end")
    assert says(said, "{name} is not asked about you any more.")
    (told,) = await mum.heard()
    assert told.text == word(OVER, name="小芳")
    said = await tap(mum, asked, "ka:")
    assert says(said, "You are not asked about them any more, so nothing was noted. Thank you.")
    assert says(
        await write(mum, "菜单"),
        'You are not asked about anyone now. Under "My data" you see what is still held.',
    )
    assert await town.count(Contact, Contact.evidence == "relative") == 0
    # What is left of her goes with one more tap.
    page = await write(mum, word(MINE))
    assert says(page, "You are not asked about anyone now.")
    await tap(mum, page, "md:leave")
    await tap(mum, page, "md:erase")
    (farewell,) = await mum.heard()
    assert says(farewell, "It's all gone. You're welcome back any time, with a new link.")
    assert await town.who(mum) is None


@on_sqlite
async def test_the_relative_stops(town: Town) -> None:
    fang, mum = await pair(town)
    page = await write(mum, word(MINE))
    assert "妈妈" in page.text
    assert "小芳" in page.text
    await tap(mum, page, "kn:mine")
    said = await tap(mum, page, "kn:stop")
    assert says(said, "All right. You are not asked about {name} any more. Thank you.")
    (told,) = await fang.heard()
    assert says(told, STOPPED)
    assert "妈妈" in told.text
    assert says(await family_page(fang), "Nobody of your family speaks for you yet.")
    (tie,) = await town.rows(Kin)
    assert tie.ended_by == "relative"


@pytest.mark.parametrize("leaves", ["worker", "relative"])
async def test_leaving_tells_the_other_one_plain_line(town: Town, leaves: str) -> None:
    fang, mum = await pair(town)
    leaver, other = (fang, mum) if leaves == "worker" else (mum, fang)
    page = await write(leaver, "离开")
    await tap(leaver, page, "md:erase")
    (told,) = await other.heard()
    assert "小芳" not in told.text
    assert "妈妈" not in told.text
    if leaves == "worker":
        assert told.text == word(OVER, name=word("your family member"))
    else:
        assert word("Someone of your family") in told.text
    left = {row.name is None for row in await town.rows(Person)}
    assert left == {True, False}
    assert await town.count(Account) == 1


@on_sqlite
async def test_other_words_reach_the_liaison(town: Town) -> None:
    liaison = await town.officer("老韦")
    _, mum = await pair(town)
    said = await write(mum, "两个星期没他的电话了，有点担心")
    assert "老韦" in said.text
    (case,) = await liaison.heard()
    assert "两个星期没他的电话了" in case.text
    assert word("Family of: {names}", names="小芳") in case.text
    await liaison.reply(case, "我去问问")
    (answer,) = await mum.heard()
    assert "我去问问" in answer.text


@on_sqlite
async def test_a_relative_comes_onto_the_register_too(town: Town) -> None:
    _, mum = await pair(town)
    mum.skip()
    await mum.start(await town.invite("V"))
    (asked,) = await mum.heard()
    assert asked.labels == [word("Agree"), word("Decline")]
    assert not (await town.known(mum)).is_worker
    await tap(mum, asked, "mv:join")
    await mum.heard()
    await write(mum, "东莞")
    who = await town.known(mum)
    assert (who.is_worker, who.is_relative, who.name) == (True, True, "妈妈")
    async with town.db.read() as tx:
        assert who.area_id == (await find_area(tx, "V")).id
    assert mum.keyboard is not None
    assert mum.keyboard[0] == [word("I'm fine")]
    assert [word("I've heard from my family")] in mum.keyboard


@on_sqlite
async def test_quiet_hours_hold_the_question(town: Town) -> None:
    fang, mum = await pair(town)
    town.move(hours=2)  # ten at night
    await ask(town, fang)
    assert says(await write(mum, "菜单"), "Heard from your family? One tap here tells us.")
    town.move(hours=10, minutes=5)
    (asked,) = await mum.heard()
    assert says(asked, ASKED)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("平安！", "fine"),
        (" OK ", "fine"),
        ("1", "fine"),
        ("没有。", "no"),
        ("2", "no"),
        ("Please call", "call"),
        ("3", "call"),
        ("需要帮助", None),
        ("他说明天打电话", None),
        ("", None),
    ],
)
def test_words_that_answer(text: str, answer: str | None) -> None:
    assert as_kin_answer(text) == answer


@on_sqlite
async def test_the_officer_sees_who_agreed(town: Town) -> None:
    await pair(town)
    await town.worker("阿明")
    liaison = await town.officer("老韦")
    page = await write(liaison, "没消息")
    if "lp:" not in str(page.buttons):
        raise LookupError(page)
    card = await tap(liaison, page, "lp:")
    line = word("Family who agreed to be asked: {name}", name="妈妈")
    assert line not in card  # 阿明 has nobody, and 小芳 was heard from
    async with town.db.write() as tx:
        await tx.execute(delete(Contact))
    page = await write(liaison, "没消息")
    for row in page.buttons:
        if "小芳" in row[0]["text"]:
            await liaison.tap(page, row[0]["callback_data"])
    await liaison.wait_for(lambda m: m is page and line in m.text)
    looked = {row.what for row in await town.rows(Look)}
    assert looked == {"silent", "person", "family"}
