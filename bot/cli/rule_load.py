"""``kinroom rule load``: a whole set of rules and topics from a file."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.cli.session import AsJson, show, with_database

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.database import Tx
    from storage.people.areas import AreaInfo
    from storage.rules.file import FileProblem, FileRule, FileTopic, Mention, RuleSet
    from storage.rules.kept import RuleInfo


def load(
    file: Annotated[Path, typer.Argument(help="A TOML file; docs/rules.md shows its form.")],
    area: Annotated[
        str | None, typer.Option(metavar="CODE", help="For rules that name no area.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check, and say what.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a whole set of rules and topics from a file: all, or, if one is wrong, none."""
    from storage.errors import Refused
    from storage.rules.file import BadRules, read_set

    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise Refused(f"{file} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None
    done: dict[str, list[str]] = {}

    async def work(opened: "Opened") -> None:
        async with opened.db.write() as tx:
            done.update(await _apply(tx, given))
            if dry_run:
                raise _OnlyChecked

    try:
        given = read_set(text, area)
    except BadRules as refused:
        _tell(file, [*refused.problems, *_find_missing(refused.mentions)])
    if not given.rules and not given.topics:
        raise Refused(f"{file} holds no [[rule]] or [[topic]]")
    try:
        with_database(work)
    except _OnlyChecked:
        pass
    except BadRules as refused:
        _tell(file, refused.problems)
    words = {"added": "Added", "changed": "Changed", "unchanged": "As it was"}
    lines = [f"{words[what]}: {code}" for what, codes in done.items() for code in codes]
    if dry_run:
        lines.append("Nothing was changed: this was a dry run.")
    show({**done, "dry_run": dry_run}, lines, as_json=as_json)


def _tell(file: Path, problems: "list[FileProblem]") -> NoReturn:
    for wrong in sorted(problems, key=lambda problem: problem.line):
        print(f"kinroom: {file}: {wrong}", file=sys.stderr)
    raise typer.Exit(1)


def _find_missing(mentions: "Sequence[Mention]") -> "list[FileProblem]":
    """What else is wrong with a file that cannot be read whole: areas and topics that are none."""
    from storage.errors import Refused
    from storage.people.areas import UnknownArea, find_area
    from storage.reminders.shipped import shipped_set
    from storage.reminders.topics import list_topics, no_topic

    async def work(opened: "Opened") -> "list[FileProblem]":
        found: list[FileProblem] = []
        async with opened.db.read() as tx:
            topics = {topic.code for topic in await list_topics(tx, stopped=True)}
            topics |= {topic.terms.code for topic in shipped_set().topics}
            for it in mentions:
                if it.field == "topic" and it.code not in topics:
                    found.append(it.problem(no_topic(it.code)))
                if it.field != "area":
                    continue
                try:
                    await find_area(tx, it.code)
                except UnknownArea as problem:
                    found.append(it.problem(str(problem)))
        return found

    try:
        return with_database(work) if mentions else []
    except Refused:  # a database that cannot be asked: the file is wrong all the same
        return []


class _OnlyChecked(Exception):
    """A dry run: what was done is taken back."""


Done = dict[str, list[str]]


async def _apply(tx: "Tx", given: "RuleSet") -> Done:
    from storage.errors import Refused
    from storage.people.areas import UnknownArea, find_area
    from storage.reminders.shipped import ensure_set, shipped_set
    from storage.reminders.topics import BadTopic
    from storage.rules.file import BadRules
    from storage.rules.kept import add_rule, edit_rule, running_rules
    from storage.rules.overlaps import find_overlaps

    now = datetime.now(UTC)
    shipped = {topic.terms.code for topic in shipped_set().topics}
    shipped -= {topic.terms.code for topic in given.topics}
    if any(getattr(it.terms, "topic", None) in shipped for it in given.rules):
        # A running service makes the set too, but a file may come before it ever ran.
        await ensure_set(tx, now)
    known = {(rule.area_code, rule.terms.code): rule for rule in await running_rules(tx)}
    done: Done = {"added": [], "changed": [], "unchanged": []}
    problems: list[FileProblem] = []
    for topic in given.topics:
        problems += await _apply_topic(tx, topic, done)
    kept: list[tuple[FileRule, AreaInfo, RuleInfo]] = []
    for it in given.rules:
        name = f"{it.area}/{it.terms.code}"
        before = known.get((it.area, it.terms.code))
        try:
            area = await find_area(tx, it.area)
            if before is None:
                kept.append((it, area, await add_rule(tx, area, it.terms, now)))
                done["added"].append(name)
            elif before.terms == it.terms:
                done["unchanged"].append(name)
            else:
                kept.append((it, area, await edit_rule(tx, before, it.terms, now)))
                done["changed"].append(name)
        except UnknownArea as problem:
            problems.append(it.problem("area", str(problem)))
        except BadTopic as problem:
            problems.append(it.problem(problem.field, str(problem)))
        except Refused as problem:
            problems.append(it.problem("", str(problem)))
    # Only now: a file may move one rule out of another's way.
    for it, area, rule in kept:
        found = await find_overlaps(tx, area, rule.terms, now, rule_id=rule.id)
        problems += [it.problem(each.field, each.reason) for each in found]
    if problems:
        raise BadRules(problems)
    return done


async def _apply_topic(tx: "Tx", given: "FileTopic", done: Done) -> "list[FileProblem]":
    """Make a topic, or have it say what the file says; one that was stopped is started again."""
    from storage.reminders.topics import BadTopic, add_topic, edit_topic, list_topics, start_topic

    name = f"topic {given.terms.code}"
    topics = {topic.code: topic for topic in await list_topics(tx, stopped=True)}
    before = topics.get(given.terms.code)
    try:
        if before is None:
            await add_topic(tx, given.terms)
            done["added"].append(name)
        elif before.terms == given.terms and before.stopped_at is None:
            done["unchanged"].append(name)
        else:
            await start_topic(tx, await edit_topic(tx, before, given.terms))
            done["changed"].append(name)
    except BadTopic as problem:
        return [given.problem(problem.field, str(problem))]
    return []
