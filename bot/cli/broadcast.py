"""``kinroom broadcast``: a notice to an area; how far it is, who got it, and its stop."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli.session import (
    AsJson,
    Newest,
    WithinArea,
    check_given,
    show,
    with_database,
    write_the_rest,
)

if TYPE_CHECKING:
    from bot.opening import Opened
    from storage.database import Tx
    from storage.outbox.broadcasts import BroadcastInfo, BroadcastPlanned
    from storage.outbox.recipients import Figures, Recipient

app = typer.Typer(invoke_without_command=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="The broadcast's number.", min=1)]
_EXCERPT = 40
_A_READ = 1000


@app.callback()
def broadcast(
    context: typer.Context,
    area: Annotated[
        str | None, typer.Option("--area", metavar="CODE", help="The area's code.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="What the message says.")] = None,
    language: Annotated[
        Literal["zh", "en"] | None, typer.Option(help="Only to those who read it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send a notice to all workers of an area and below it, at hours that suit them.

    With --area CODE and --text TEXT; or one of the commands below.
    """
    from storage.errors import Refused

    if context.invoked_subcommand is not None:
        if area is not None or text is not None or language is not None:
            raise Refused("either send a notice, or use one of the commands")
        return
    code, words = check_given(area, text)
    _send(code, words, language, as_json=as_json)


def _send(area: str, text: str, language: str | None, *, as_json: bool) -> None:
    from storage.outbox.broadcasts import plan_broadcast
    from storage.people.areas import find_area

    async def work(opened: "Opened") -> "BroadcastPlanned":
        async with opened.db.write() as tx:
            found = await find_area(tx, area)
            planned = await plan_broadcast(
                tx, area=found, text=text, language=language, by=None, now=datetime.now(UTC)
            )
        await write_the_rest(opened.db, lambda tx, at: _write_more(tx, at, planned.id))
        return planned

    planned = with_database(work)
    if planned.count:
        line = (
            f"Broadcast {planned.id} to {area}, people: {planned.count}. "
            f"`kinroom broadcast show {planned.id}` shows how far it is."
        )
    else:
        line = f"Broadcast {planned.id} to {area}: there is nobody to send it to, so it is over."
    show({"broadcast": planned.id, "area": area, "count": planned.count}, line, as_json=as_json)


async def _write_more(tx: "Tx", now: datetime, broadcast_id: int) -> bool:
    from storage.outbox.running_broadcasts import expand_next

    return await expand_next(tx, now, only=broadcast_id) is not None


@app.command("list")
def list_(
    area: WithinArea = None,
    limit: Newest = 20,
    as_json: AsJson = False,
) -> None:
    """The notices that were sent, the newest first."""
    from storage.outbox.broadcasts import list_broadcasts
    from storage.outbox.recipients import count_recipients
    from storage.people.areas import find_area

    async def work(opened: "Opened") -> "list[tuple[BroadcastInfo, Figures]]":
        async with opened.db.read() as tx:
            found = None if area is None else await find_area(tx, area)
            sent = await list_broadcasts(tx, found, limit=limit)
            return [(each, await count_recipients(tx, each)) for each in sent]

    found = with_database(work)
    lines = [
        f"{each.id:>6}  {each.at:%Y-%m-%d %H:%M}  {each.state:<8}{each.area_code}: "
        f"{figures.sent} of {each.audience} have it, {figures.waiting} waiting  {_excerpt(each)}"
        for each, figures in found
    ]
    show(
        {"broadcasts": [_as_json(each, figures) for each, figures in found]},
        lines or ["No notice was sent yet."],
        as_json=as_json,
    )


@app.command("show")
def show_(
    broadcast_id: Number,
    names: Annotated[
        bool, typer.Option("--names", help="Also who got it and who did not.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """How far a notice is: who has it, who waits, who did not get it and why."""
    from storage.outbox.recipients import OUTCOMES, count_recipients, list_recipients

    async def work(opened: "Opened") -> "tuple[BroadcastInfo, Figures, list[Recipient]]":
        async with opened.db.read() as tx:
            sent = await _find(tx, broadcast_id)
            people: list[Recipient] = []
            while names:
                page = await list_recipients(
                    tx, None, sent.id, OUTCOMES, limit=_A_READ, offset=len(people)
                )
                people += page
                if len(page) < _A_READ:
                    break
            return sent, await count_recipients(tx, sent), people

    sent, figures, people = with_database(work)
    result = _as_json(sent, figures)
    lines = _lines(sent, figures)
    if names:
        result |= {"names": [_named(person) for person in people]}
        lines += ["", *(_line(person) for person in people)]
    show(result, lines, as_json=as_json)


@app.command("stop")
def stop(broadcast_id: Number, as_json: AsJson = False) -> None:
    """Stop a notice: who waits for it gets it no more. What is on its way arrives."""
    from storage.errors import Refused
    from storage.outbox.broadcasts import stop_broadcast
    from storage.outbox.recipients import count_recipients
    from storage.outbox.running_broadcasts import cancel_next, end_finished

    async def work(opened: "Opened") -> "tuple[BroadcastInfo, Figures]":
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            sent = await _find(tx, broadcast_id)
            if not await stop_broadcast(
                tx, sent.id, by=None, now=now, reason="from the command line"
            ):
                was = "stopped" if sent.stopped_at is not None else "over"
                raise Refused(f"broadcast {broadcast_id} is {was} already")
        cancelled = 1
        while cancelled:
            async with opened.db.write() as tx:
                cancelled = await cancel_next(tx, now)
        async with opened.db.write() as tx:
            await end_finished(tx, now)
            sent = await _find(tx, broadcast_id)
            return sent, await count_recipients(tx, sent)

    sent, figures = with_database(work)
    show(
        _as_json(sent, figures),
        f"Stopped broadcast {sent.id}: {figures.sent} of {sent.audience} have it, "
        f"{figures.cancelled} will not get it any more, {figures.waiting} are on their way.",
        as_json=as_json,
    )


async def _find(tx: "Tx", broadcast_id: int) -> "BroadcastInfo":
    from storage.errors import Refused
    from storage.outbox.broadcasts import find_broadcast

    found = await find_broadcast(tx, broadcast_id)
    if found is None:
        raise Refused(f"there is no broadcast {broadcast_id}")
    return found


def _excerpt(sent: "BroadcastInfo") -> str:
    line = " ".join(sent.text.split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


def _as_json(sent: "BroadcastInfo", figures: "Figures") -> dict[str, Any]:
    from storage.outbox.recipients import OUTCOMES

    return {
        "broadcast": sent.id,
        "area": sent.area_code,
        "text": sent.text,
        "language": sent.language,
        "by": sent.by_name,
        "at": sent.at.isoformat(),
        "state": sent.state,
        "stopped_by": sent.stopped_by_name,
        "stop_reason": sent.stop_reason,
        "stopped_at": None if sent.stopped_at is None else sent.stopped_at.isoformat(),
        "ended_at": None if sent.ended_at is None else sent.ended_at.isoformat(),
        "audience": sent.audience,
        "outcome": {outcome: figures.of(outcome) for outcome in OUTCOMES},
        "waits": dict(figures.waits),
    }


def _lines(sent: "BroadcastInfo", figures: "Figures") -> list[str]:
    by = sent.by_name or "the command line"
    lines = [
        f"Broadcast {sent.id} to {sent.area_code} ({sent.area_name}), by {by}, "
        f"{sent.at:%Y-%m-%d %H:%M} UTC: {sent.state}"
    ]
    if sent.stopped_at is not None:
        who = sent.stopped_by_name or sent.stop_reason or "someone who has left"
        lines.append(f"  stopped {sent.stopped_at:%Y-%m-%d %H:%M} UTC: {who}")
    lines += [f"  {line}" for line in sent.text.splitlines()]
    if not sent.audience and sent.state != "running":
        return [*lines, "There was nobody to send it to."]
    from storage.outbox.recipients import OUTCOMES

    counted = [f"  {outcome:<10}{figures.of(outcome):>9}" for outcome in OUTCOMES]
    lines += [f"  {'people':<10}{sent.audience:>9}", *counted]
    if figures.waits:
        lines += ["Waiting:", *(f"  {count:>9}  {why}" for why, count in figures.waits)]
    return lines


def _named(person: "Recipient") -> dict[str, Any]:
    return {
        "ref": person.ref,
        "name": person.name,
        "state": person.state,
        "reason": person.reason,
        "at": None if person.at is None else person.at.isoformat(),
    }


def _line(person: "Recipient") -> str:
    name = "someone who has left" if person.name is None else person.name or "(no name)"
    why = f": {person.reason}" if person.reason else ""
    return f"  {person.state:<10}{name}{why}"
