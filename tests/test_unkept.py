"""What the record promises never to hold is refused as a topic, a question and a reminder."""

from pathlib import Path

import pytest

from storage.reminders.reading import read_topic
from storage.rules.reading import read_rule
from storage.rules.table import from_json, to_json
from storage.rules.terms import CheckinTerms
from storage.rules.unkept import check_code, check_names, check_words
from tests.command import Command

ABOUT = {"zh": "去问问。", "en": "Ask."}
NAMES = {"zh": "公积金", "en": "Housing fund"}
WEEKLY = {"code": "own", "kind": "checkin", "every": "1 week", "on": "sunday"}


NEVER = {
    "births": (
        "孕检|您怀孕了吗？|避孕药具|生育保险|生育登记|计划生育|计生服务|二胎|"
        "流产后休息|超生|去产检了吗|产假|独生子女奖励|妇检|查环|月经|新生儿|"
        "生孩子了吗？|懷孕|Are you pregnant?|Family planning|contraception|"
        "Was a baby born?|any births?"
    ),
    "fines": (
        "罚款|逾期要处罚|罰單|处分|Pay the fine.|fines|a parking fine|penalty|"
        "You will be fined.|ＦＩＮＥＳ"
    ),
    "informers": ("举报邻居|检举|告发他们|线人|informers wanted|whistle-blower"),
    "biometrics": ("采集指纹|人脸识别|刷脸认证|虹膜|做DNA|fingerprints|facial recognition"),
}
ALIKE = (
    "周末好，这两周还顺利吗？|免费体检|两癌筛查|孩子入学带出生证明|生产检查|"
    "农产检测|主流产品|花生育苗|家里老三孩子上学|设计生产|标准生产|检查环境|"
    "上月经过|本月经营|公告发布以后|报告发到哪里|到处分发|一线人员|在线人工|"
    "换轮胎|罚球|孕育希望|生日|投诉|取环保袋|养老金资格认证|生产假货|"
    "Is all fine?|Are you fine?|We're fine.|a fine day|fine weather|"
    "in the fine print|Happy birthday|Bring the birth certificate.|"
    "date of birth|refined|confine|information|Where were you born?"
)


@pytest.mark.parametrize(
    ("text", "about"),
    [(text, about) for about, texts in NEVER.items() for text in texts.split("|")],
)
def test_what_is_never_asked(text: str, about: str) -> None:
    ((field, reason),) = check_words("question", {"zh": text})
    assert field == "question.zh"
    assert about in reason
    assert "neither who chose it nor what they say" in reason


@pytest.mark.parametrize("text", ALIKE.split("|"))
def test_what_only_looks_alike(text: str) -> None:
    assert list(check_words("about", {"zh": text})) == []


@pytest.mark.parametrize("code", ["pregnancy", "fine", "fines", "traffic-fine", "birth", "yunjian"])
def test_codes_say_it_too(code: str) -> None:
    assert [field for field, _ in check_code("code", code)] == ["code"]


@pytest.mark.parametrize("code", ["weekly", "all-fine", "birthday", "certificate", "refine-oil"])
def test_codes_that_say_nothing_of_it(code: str) -> None:
    assert list(check_code("code", code)) == []


def test_a_name_says_it_of_everyone_who_chose_it() -> None:
    assert [field for field, _ in check_names("name", {"zh": "出生证明", "en": "Fine"})] == [
        "name.zh",
        "name.en",
    ]
    assert list(check_names("name", {"zh": "平安", "en": "All is fine"})) == []


def test_every_field_that_people_see_is_looked_at() -> None:
    bad = {
        "code": "own",
        "name": {"zh": "孕检", "en": "Fines"},
        "about": {"zh": "带指纹", "en": "Ask."},
    }
    told = [problem.field for problem in read_topic({**bad, "asks": "pregnancy-test"})[1]]
    assert told == ["asks", "name.zh", "name.en", "about.zh"]
    question = {"zh": "生孩子了吗？", "en": "Any fines?"}
    told = [problem.field for problem in read_rule({**WEEKLY, "question": question})[1]]
    assert told == ["question.zh", "question.en"]
    reminder = {"code": "jubao", "kind": "reminder", "topic": "fines", "around": "05-29"}
    told = [problem.field for problem in read_rule({**reminder, "text": question})[1]]
    assert told == ["code", "topic", "text.zh", "text.en"]
    assert read_topic({"code": "fund", "name": NAMES, "about": ABOUT})[1] == []


def test_what_is_stored_stays_readable() -> None:
    """A word that is refused from a later version on stops no rule that runs."""
    terms, problems = read_rule({**WEEKLY, "question": {"zh": "罚款", "en": "Fines"}}, stored=True)
    assert problems == []
    assert isinstance(terms, CheckinTerms)
    assert from_json(to_json(terms)) == terms


def test_an_operator_is_told_in_one_sentence(installed: Command, tmp_path: Path) -> None:
    installed("area", "add", "nanlai", "南来镇")
    words = ("--zh", "去问问。", "--en", "Ask.")
    named = ("--name-zh", "体检", "--name-en", "Check-up", *words)
    assert installed("topic", "add", "pregnancy", *named).complaint == (
        "CODE: “pregnancy” is about pregnancy, contraception or births: nothing is ever kept or "
        "asked about that here, neither who chose it nor what they say."
    )
    assert installed("topic", "add", "check", *named, "--name-zh", "孕检").complaint.startswith(
        "--name-zh: “孕” is about pregnancy"
    )
    question = ("--zh", "交了罚款吗？", "--en", "Is all well?")
    weekly = ("rule", "edit", "nanlai/weekly", *question)
    assert "--zh: “罚” is about fines or penalties" in installed(*weekly).complaint
    file = tmp_path / "rules.toml"
    file.write_text(
        '[[topic]]\ncode = "check"\nname.zh = "指纹"\nname.en = "Check"\n'
        'about.zh = "去问问。"\nabout.en = "Ask."\n',
        encoding="utf-8",
    )
    assert "line 3, topic check, name.zh: “指纹” is about biometrics" in (
        installed("rule", "load", str(file)).complaint
    )
