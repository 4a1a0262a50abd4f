"""``kinroom rule``: when workers are asked and reminded."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.rule_load import load
from bot.cli.rule_name import RuleArea, RuleName, split_name
from bot.cli.rule_options import takes_terms
from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.rules.kept import RuleInfo
    from storage.rules.terms import Problem, Terms

app = typer.Typer(help="Check-in and reminder rules: when people are asked, and of what reminded.")

_Kind = Annotated[str, typer.Option(help="checkin or reminder.")]


@app.command("list")
def list_all(
    area: Annotated[str | None, typer.Option(metavar="CODE", help="What applies here.")] = None,
    toml: Annotated[bool, typer.Option("--toml", help="As a file that `rule load` takes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the rules: all of them, or those that speak for one area."""
    from storage.people.areas import find_area
    from storage.rules.file import as_toml
    from storage.rules.kept import rules_over, running_rules

    async def work(opened: "Opened") -> "list[RuleInfo]":
        async with opened.db.read() as tx:
            if area is None:
                return await running_rules(tx)
            return await rules_over(tx, await find_area(tx, area))

    rules = with_database(work)
    if toml:
        print(as_toml((rule.area_code, rule.terms) for rule in rules), end="")
        return
    lines = [_line(rule) for rule in rules] or ["No rules: kinroom rule add AREA/CODE …"]
    show({"rules": [_as_json(rule) for rule in rules]}, lines, as_json=as_json)


@app.command("add")
@takes_terms
def add(
    given: dict[str, Any],
    name: RuleName,
    area: RuleArea = None,
    kind: _Kind = "checkin",
    as_json: AsJson = False,
) -> None:
    """Make one rule. It speaks for the area and all below it that has none of the same code."""
    from storage.people.areas import find_area
    from storage.reminders.shipped import ensure_set
    from storage.rules.kept import add_rule
    from storage.rules.overlaps import find_overlaps

    within, code = split_name(name, area)
    terms = _check({"code": code, "kind": kind, **_for(kind, given)})

    async def work(opened: "Opened") -> "RuleInfo":
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            found = await find_area(tx, within)
            if kind == "reminder":
                # Its topics and rules come with the service, which may never have run yet.
                await ensure_set(tx, now)
            rule = await add_rule(tx, found, terms, now)
            _refuse(await find_overlaps(tx, found, terms, now, rule_id=rule.id))
            return rule

    rule = with_database(work)
    show(_as_json(rule), f"Added: {_line(rule)}", as_json=as_json)


@app.command("edit")
@takes_terms
def edit(
    given: dict[str, Any],
    name: RuleName,
    area: RuleArea = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and keep the rest. Questions that are out keep their old terms."""
    from storage.errors import Refused
    from storage.people.areas import find_area
    from storage.rules.kept import edit_rule, find_rule
    from storage.rules.overlaps import find_overlaps
    from storage.rules.table import as_table

    if not given:
        raise Refused("say what to change: kinroom rule edit --help shows the options")
    within, code = split_name(name, area)

    async def work(opened: "Opened") -> "RuleInfo":
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            found = await find_area(tx, within)
            rule = await find_rule(tx, found, code)
            terms = _check(_merge(as_table(rule.terms), _for(rule.terms.kind, given)))
            _refuse(await find_overlaps(tx, found, terms, now, rule_id=rule.id))
            return await edit_rule(tx, rule, terms, now)

    rule = with_database(work)
    show(_as_json(rule), f"Changed: {_line(rule)}", as_json=as_json)


@app.command("stop")
def stop(name: RuleName, area: RuleArea = None, as_json: AsJson = False) -> None:
    """Let a rule ask no more. What is out can still be answered."""
    from storage.people.areas import find_area
    from storage.rules.kept import Unreadable, find_rule, stop_rule

    within, code = split_name(name, area)

    async def work(opened: "Opened") -> "RuleInfo | Unreadable":
        async with opened.db.write() as tx:
            rule: RuleInfo | Unreadable
            try:
                rule = await find_rule(tx, await find_area(tx, within), code)
            except Unreadable as problem:
                rule = problem
            await stop_rule(tx, rule, datetime.now(UTC))
            return rule

    rule = with_database(work)
    if isinstance(rule, Unreadable):
        show({"area": within, "code": code}, f"Stopped: {rule.name}", as_json=as_json)
        return
    show(_as_json(rule), f"Stopped: {_line(rule)}", as_json=as_json)


app.command("load")(load)


def _for(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """As the table of a rule of this kind names them."""
    called = {"words": "question" if kind == "checkin" else "text"}
    return {called.get(key, key): value for key, value in given.items()}


def _merge(before: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``before`` with what is given; another kind of schedule takes the place of the old one."""
    gone = _gone(before, given)
    kept = {key: value for key, value in before.items() if key not in gone}
    for words in ("question", "text"):
        if words in given:
            given[words] = {**kept.get(words, {}), **given[words]}
    return {**kept, **given}


def _gone(before: dict[str, Any], given: dict[str, Any]) -> set[str]:
    gone = {"lead"} & before.keys() if "days" in given else set()
    gone |= {"days"} if "lead" in given else set()
    if "around" in given:
        return gone | {"date", "every", "on", "grace"}
    if "date" in given:
        return gone | ({"around", "on", "every"} if "date" not in before else set())
    if "on" in given or ("every" in given and "date" not in before):
        return gone | {"around", "date", "days", "lead", "grace"}
    return gone


def _check(table: dict[str, Any]) -> "Terms":
    from storage.rules.reading import read_rule

    terms, problems = read_rule(table)
    _refuse(problems)
    assert terms is not None
    return terms


def _refuse(problems: "list[Problem]") -> None:
    from storage.errors import Refused

    if problems:
        told = (f"{_option(it.field)}: {it.reason}" for it in problems)
        raise Refused("; ".join(told).replace(".;", ";"))


def _option(field: str) -> str:
    """What the command calls a field of the table: ``question.zh`` is given by ``--zh``."""
    key, _, language = field.partition(".")
    key = key.partition("[")[0]
    if key == "code":
        return "CODE"
    if key in {"question", "text"}:
        return f"--{language}" if language else "--zh and --en"
    return "--nudge" if key == "nudges" else f"--{key}"


def _line(rule: "RuleInfo") -> str:
    from storage.rules.table import as_table

    table = as_table(rule.terms)
    when = [
        " ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in table.items()
        if key in {"every", "on", "around", "days", "date", "lead"}
    ]
    until = f", until {rule.terms.ends}" if rule.terms.ends else ""
    return (
        f"{rule.area_code}/{rule.terms.code}  {rule.terms.kind}  {', '.join(when)}, "
        f"{table['at']}{until}"
    )


def _as_json(rule: "RuleInfo") -> dict[str, Any]:
    from storage.rules.table import as_table

    return {
        "area": rule.area_code,
        "version": rule.version,
        "since": rule.since.isoformat(),
        **{
            key: value.isoformat() if hasattr(value, "isoformat") else value
            for key, value in as_table(rule.terms).items()
        },
    }
