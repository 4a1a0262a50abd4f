"""``kinroom topic``: what workers may be reminded of."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.reminders.topics import TopicInfo, TopicTerms

app = typer.Typer(help="Topics: services that workers may ask to be reminded of.")

Code = Annotated[str, typer.Argument(metavar="CODE", help="The topic's code.")]
Value = str | None
_NameZh = Annotated[Value, typer.Option("--name-zh", help="Its name in Chinese, on a button.")]
_NameEn = Annotated[Value, typer.Option("--name-en", help="Its name in English.")]
_Zh = Annotated[Value, typer.Option("--zh", help="The words of the reminder in Chinese.")]
_En = Annotated[Value, typer.Option("--en", help="The words of the reminder in English.")]
_Asks = Annotated[
    Value,
    typer.Option(
        help="The date each person is asked for: contract-end; one that begins with last- lies "
        "behind; none for no date."
    ),
]


@app.command("list")
def list_all(
    every: Annotated[bool, typer.Option("--all", help="The stopped ones, too.")] = False,
    toml: Annotated[bool, typer.Option("--toml", help="As a file that `rule load` takes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the topics, and how many people hear of each, from five on; never who."""
    from storage.reminders.topics import list_topics
    from storage.rules.file import topics_as_toml

    async def work(opened: "Opened") -> "list[TopicInfo]":
        async with opened.db.read() as tx:
            return await list_topics(tx, stopped=every)

    topics = with_database(work)
    if toml:
        print(topics_as_toml(topic.terms for topic in topics), end="")
        return
    lines = [_line(topic) for topic in topics] or ["No topics: kinroom topic load brings a set."]
    show({"topics": [_as_json(topic) for topic in topics]}, lines, as_json=as_json)


@app.command("load")
def load(as_json: AsJson = False) -> None:
    """Make the starting set of topics and rules where it never was; a running service does so too.

    What was edited or stopped stays as it is.
    """
    from storage.reminders.shipped import ensure_set

    async def work(opened: "Opened") -> int:
        async with opened.db.write() as tx:
            return await ensure_set(tx, datetime.now(UTC))

    made = with_database(work)
    show({"made": made}, f"Made {made} topics and rules of the starting set.", as_json=as_json)


@app.command("add")
def add(
    code: Code,
    name_zh: _NameZh = None,
    name_en: _NameEn = None,
    zh: _Zh = None,
    en: _En = None,
    asks: _Asks = None,
    as_json: AsJson = False,
) -> None:
    """Offer a topic. Rules say when: kinroom rule add CODE --kind reminder --topic CODE …"""
    from storage.reminders.topics import add_topic

    terms = _check({"code": code, **_table(name_zh, name_en, zh, en, asks)})

    async def work(opened: "Opened") -> "TopicInfo":
        async with opened.db.write() as tx:
            return await add_topic(tx, terms)

    topic = with_database(work)
    show(_as_json(topic), f"Added: {_line(topic)}", as_json=as_json)


@app.command("edit")
def edit(
    code: Code,
    name_zh: _NameZh = None,
    name_en: _NameEn = None,
    zh: _Zh = None,
    en: _En = None,
    asks: _Asks = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and keep the rest. Who subscribed stays subscribed."""
    from storage.reminders.reading import topic_table
    from storage.reminders.topics import edit_topic, find_topic

    async def work(opened: "Opened") -> "TopicInfo":
        async with opened.db.write() as tx:
            topic = await find_topic(tx, code)
            table = topic_table(topic.terms)
            for key, value in _table(name_zh, name_en, zh, en, asks).items():
                table[key] = {**table[key], **value} if isinstance(value, dict) else value
            if asks == "none":
                del table["asks"]
            return await edit_topic(tx, topic, _check(table))

    topic = with_database(work)
    show(_as_json(topic), f"Changed: {_line(topic)}", as_json=as_json)


@app.command("stop")
def stop(code: Code, as_json: AsJson = False) -> None:
    """Remind nobody of it, and offer it no more; what people chose is kept for a new start."""
    from storage.reminders.topics import find_topic, stop_topic

    async def work(opened: "Opened") -> "TopicInfo":
        async with opened.db.write() as tx:
            return await stop_topic(tx, await find_topic(tx, code), datetime.now(UTC))

    topic = with_database(work)
    show(_as_json(topic), f"Stopped: {_line(topic)}", as_json=as_json)


@app.command("start")
def start(code: Code, as_json: AsJson = False) -> None:
    """Offer a stopped topic again, and remind those who had chosen it."""
    from storage.reminders.topics import find_topic, start_topic

    async def work(opened: "Opened") -> "TopicInfo":
        async with opened.db.write() as tx:
            return await start_topic(tx, await find_topic(tx, code))

    topic = with_database(work)
    show(_as_json(topic), f"Started: {_line(topic)}", as_json=as_json)


def _table(name_zh: Value, name_en: Value, zh: Value, en: Value, asks: Value) -> dict[str, Any]:
    """The options as a topic's table; what was not given is not in it."""
    given: dict[str, Any] = {}
    for key, texts in (("name", (name_zh, name_en)), ("about", (zh, en))):
        found = {
            language: text
            for language, text in zip(("zh", "en"), texts, strict=True)
            if text is not None
        }
        if found:
            given[key] = found
    return given if asks is None or asks == "none" else {**given, "asks": asks}


_OPTIONS = {
    "code": "CODE",
    "name.zh": "--name-zh",
    "name.en": "--name-en",
    "about.zh": "--zh",
    "about.en": "--en",
}


def _check(table: dict[str, Any]) -> "TopicTerms":
    from storage.errors import Refused
    from storage.reminders.reading import read_topic

    terms, problems = read_topic(table)
    if terms is None:
        told = (f"{_OPTIONS.get(it.field, f'--{it.field}')}: {it.reason}" for it in problems)
        raise Refused("; ".join(told).replace(".;", ";"))
    return terms


def _line(topic: "TopicInfo") -> str:
    from storage.rhythm.reach import FEW

    asks = f", asks for {topic.asks}" if topic.asks else ""
    stopped = ", stopped" if topic.stopped_at else ""
    names = topic.terms.names
    heard = _heard(topic)
    told = f"fewer than {FEW}" if heard is None else str(heard)
    return f"{topic.code}  {names['zh']} / {names['en']}{asks}, {told} subscribed{stopped}"


def _heard(topic: "TopicInfo") -> int | None:
    """How many chose it; None of fewer than five, of whom a number could say who."""
    from storage.rhythm.reach import FEW

    return topic.subscribers if topic.subscribers >= FEW else None


def _as_json(topic: "TopicInfo") -> dict[str, Any]:
    return {
        "code": topic.code,
        "name": dict(topic.terms.names),
        "about": dict(topic.terms.about),
        "asks": topic.asks,
        "shipped": topic.shipped,
        "subscribers": _heard(topic),
        "stopped_at": topic.stopped_at.isoformat() if topic.stopped_at else None,
    }
