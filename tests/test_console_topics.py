"""The console's topics: who may change them, mistakes at their field, counts that name nobody."""

from datetime import datetime, timedelta
from html import unescape

import pytest

from storage.database import Database
from storage.models import Subscription
from storage.reminders.shipped import ensure_set
from storage.reminders.topics import TopicInfo, find_topic
from tests import console_visit
from tests.console_county import County, make_county
from tests.console_visit import Client, Enter, post, text_of

clock, live = console_visit.clock, console_visit.live
client, enter = console_visit.client, console_visit.enter

FUND = {
    "code": "housing-fund",
    "name_zh": "公积金",
    "name_en": "Housing fund",
    "about_zh": "走以前，问问公积金能不能转走。",
    "about_en": "Before you leave, ask whether your fund can go with you.",
    "asks": "+",
    "asks_other": "moving-day",
}


@pytest.fixture
async def county(db: Database, now: datetime) -> County:
    county = await make_county(db, now, workers=3)
    async with db.write() as tx:
        await ensure_set(tx, now - timedelta(days=30))
    return county


async def topic_of(db: Database, code: str) -> TopicInfo:
    async with db.read() as tx:
        return await find_topic(tx, code)


async def test_a_topic_is_made_changed_stopped_and_started(
    client: Client, db: Database, county: County, enter: Enter
) -> None:
    csrf = await enter(county.supervisor)
    assert "/console/topics" in await text_of(client, "/console/rules?area=nan")
    assert "Something new to be reminded of" in await text_of(client, "/console/topics")
    await text_of(client, "/console/topics/new")
    made = await post(client, "/console/topics/new", {**FUND, "csrf": csrf})
    assert made.status == 303
    page = await text_of(client, made.headers["Location"])
    assert "公积金" in page
    assert "Housing fund" in page
    assert "a day to come: a date of their own (moving-day)" in page
    assert "No rule reminds of it" in page
    edit = made.headers["Location"] + "/edit"
    form = await text_of(client, edit)
    version = form.split('name="version" value="')[1].split('"')[0]
    changed = {**FUND, "name_en": "Your <b>fund</b>", "asks": "", "csrf": csrf, "version": version}
    changed["asks_other"] = ""
    assert (await post(client, edit, changed)).status == 303
    assert (await topic_of(db, "housing-fund")).asks is None
    again = await post(client, edit, changed)
    assert again.status == 422
    assert "Somebody else changed this meanwhile" in await again.text()
    await post(client, made.headers["Location"] + "/stop", {"csrf": csrf})
    listed = await text_of(client, "/console/topics")
    assert listed.index('class="stopped"') < listed.index("Your <b>fund</b>")
    assert "Start it again" in await text_of(client, made.headers["Location"])
    await post(client, made.headers["Location"] + "/start", {"csrf": csrf})
    assert (await topic_of(db, "housing-fund")).stopped_at is None
    assert "公积金" in await text_of(client, "/console/topics?lang=zh")


@pytest.mark.parametrize(
    ("typed", "says", "field"),
    [
        ({"code": ""}, "Something is missing here.", "code"),
        ({"code": "Fund!"}, "such as health-check", "code"),
        ({"code": "wages"}, "There is a topic of this short name already", "code"),
        ({"name_zh": "  "}, "Something is missing here.", "name_zh"),
        ({"name_en": "x" * 41}, "Write one line of 40 characters at most", "name_en"),
        ({"name_zh": "孕检"}, "Not “孕”: about pregnancy, contraception", "name_zh"),
        ({"about_en": "Or pay the fine."}, "Not “pay the fine”", "about_en"),
        ({"about_en": ""}, "Something is missing here.", "about_en"),
        ({"about_zh": "字" * 4000}, "That is too long", "about_zh"),
        ({"asks_other": ""}, "Something is missing here.", "asks_other"),
        ({"asks_other": "the day"}, "Use small letters", "asks_other"),
    ],
)
async def test_a_mistake_is_told_at_its_field(
    client: Client, county: County, enter: Enter, typed: dict[str, str], says: str, field: str
) -> None:
    csrf = await enter(county.supervisor)
    answer = await post(client, "/console/topics/new", {**FUND, **typed, "csrf": csrf})
    page = unescape(await answer.text())
    assert answer.status == 422, page
    assert says in page.split(f'id="wrong-{field}-1"')[1].split("</p>")[0]
    assert page.count('aria-invalid="true"') == 1


async def test_a_date_that_a_rule_follows_stays(
    client: Client, db: Database, county: County, enter: Enter
) -> None:
    csrf = await enter(county.supervisor)
    form = await text_of(client, "/console/topic/contract/edit")
    version = form.split('name="version" value="')[1].split('"')[0]
    answer = await post(
        client,
        "/console/topic/contract/edit",
        {**FUND, "csrf": csrf, "version": version},
    )
    assert answer.status == 422
    assert "The rule contract counts from the date" in await answer.text()
    assert (await topic_of(db, "contract")).asks == "contract-end"


async def test_others_look_and_a_few_are_not_counted(
    client: Client, db: Database, county: County, enter: Enter, now: datetime
) -> None:
    few, many = await topic_of(db, "check-up"), await topic_of(db, "wages")
    people = [*county.workers["east"], *county.workers["west"]]
    async with db.write() as tx:
        for topic, chose in ((few, people[:4]), (many, people[:5])):
            for person_id in chose:
                values = {"person_id": person_id, "topic_id": topic.id, "since": now}
                await tx.execute(tx.insert(Subscription).values(**values))
    csrf = await enter(county.liaison)
    page = await text_of(client, "/console/topics")
    assert "Something new" not in page
    assert "Supervisors at the top change it." in page
    assert page.count("<p>5 people chose it.") == 1
    assert page.count("<p>Fewer than 5 people chose it.") == 8
    rules = await text_of(client, "/console/topic/check-up")
    assert "Fewer than 5 people chose it." in rules
    assert "last check-up: 7 days before and on the day itself, at 10:00</a>" in rules
    assert "Change it" not in rules
    await text_of(client, "/console/topics/new", 403)
    await text_of(client, "/console/topic/wages/edit", 403)
    for path in ("topics/new", "topic/wages/edit", "topic/wages/stop", "topic/wages/start"):
        refused = await post(client, f"/console/{path}", {**FUND, "csrf": csrf})
        assert refused.status == 403, path
    await text_of(client, "/console/topic/none-such", 404)
    await enter(county.supervisor)
    without_token = await post(client, "/console/topic/wages/stop", {"csrf": "x"})
    assert without_token.status == 403
    assert (await topic_of(db, "wages")).stopped_at is None
