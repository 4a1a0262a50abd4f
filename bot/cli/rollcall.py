"""``kinroom rollcall``: is everyone safe? Begun, looked at, ended."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

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
    from storage.people.destinations import Destination
    from storage.rhythm.rollcall_access import RollcallInfo
    from storage.rhythm.rollcall_figures import Figures
    from storage.rhythm.rollcalls import Manner, RollcallPlanned

app = typer.Typer(invoke_without_command=True)

Number = Annotated[int, typer.Argument(metavar="ID", help="The roll call's number.", min=1)]


@app.callback()
def rollcall(
    context: typer.Context,
    area: Annotated[
        str | None, typer.Option("--area", metavar="CODE", help="The area's code.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="What the message says.")] = None,
    country: Annotated[
        str | None, typer.Option(help="Only who is there now: a name, or a code like CN.")
    ] = None,
    province: Annotated[str | None, typer.Option(help="Only who is there now.")] = None,
    city: Annotated[str | None, typer.Option(help="Only who is there now.")] = None,
    urgent: Annotated[
        bool, typer.Option("--urgent/--not-urgent", help="At night too; that is the usual way.")
    ] = True,
    nudge_every: Annotated[
        int | None,
        typer.Option(min=5, max=10_000, metavar="MINUTES", help="30, or 240 when not urgent."),
    ] = None,
    nudges: Annotated[
        int | None, typer.Option(min=0, max=20, help="At most: 4, or 2 when not urgent.")
    ] = None,
    lasts: Annotated[
        int, typer.Option("--for", min=1, max=168, metavar="HOURS", help="It ends by itself then.")
    ] = 24,
    as_json: AsJson = False,
) -> None:
    """Ask every expected worker of an area and below it whether they are safe, now.

    With --area CODE and --text TEXT; or one of the commands below.
    """
    from storage.errors import Refused
    from storage.rhythm.rollcalls import AT_ONCE, CALMLY, Manner

    if context.invoked_subcommand is not None:
        if area is not None or text is not None:
            raise Refused("either begin a roll call, or use one of the commands")
        return
    code, words = check_given(area, text)
    usual = AT_ONCE if urgent else CALMLY
    manner = Manner(
        urgent,
        usual.every if nudge_every is None else timedelta(minutes=nudge_every),
        usual.most if nudges is None else nudges,
        timedelta(hours=lasts),
    )
    if nudge_every is not None and manner.most and manner.every >= manner.lasts:
        raise Refused(
            f"--nudge-every {nudge_every}: it is over after {lasts} h, before anyone is asked again"
        )
    where = _destination(country, province, city)
    _begin(code, words, where, manner, as_json=as_json)


def _destination(country: str | None, province: str | None, city: str | None) -> "Destination":
    """The places named, as they are stored. Raises ``Refused`` for one that is not known."""
    from storage.errors import Refused
    from storage.people.destinations import Destination
    from storage.people.places import find_country, find_place

    code = None
    if country is not None:
        code = find_country(country)
        if code is None:
            raise Refused(f"“{country}” is not a country; give a name, or a code like CN")
    found = Destination(code)
    for kind, name in (("province", province), ("city", city)):
        if name is None:
            continue
        place = find_place(name)
        if place is None or getattr(place, kind) is None:
            raise Refused(f"“{name}” is no {kind} that Kinroom knows")
        inside = Destination(place.country, place.province, place.city)
        if kind == "province":
            inside = Destination(place.country, place.province)
        if any(
            wide not in (None, narrow)
            for wide, narrow in (
                (found.country, inside.country),
                (found.province, inside.province),
            )
        ):
            wider = province if kind == "city" and province else country
            raise Refused(f"“{name}” does not lie in “{wider}”")
        found = inside
    return found


def _begin(area: str, text: str, where: "Destination", manner: "Manner", *, as_json: bool) -> None:
    from storage.people.areas import find_area
    from storage.rhythm.rollcalls import plan_rollcall

    async def work(opened: "Opened") -> "tuple[RollcallPlanned, datetime]":
        now = datetime.now(UTC)
        async with opened.db.write() as tx:
            found = await find_area(tx, area)
            planned = await plan_rollcall(
                tx, area=found, text=text, by=None, now=now, where=where, manner=manner
            )
        await write_the_rest(opened.db, lambda tx, at: _ask_more(tx, at, planned.id))
        return planned, now

    planned, now = with_database(work)
    if planned.count:
        line = (
            f"Roll call {planned.id} of {area}: asked: {planned.count}. "
            f"`kinroom rollcall show {planned.id}` shows how it stands."
        )
    else:
        line = f"Roll call {planned.id} of {area}: there is nobody to ask, so it is over."
    show(
        {
            "rollcall": planned.id,
            "area": area,
            "count": planned.count,
            "country": where.country,
            "province": where.province,
            "city": where.city,
            "urgent": manner.urgent,
            "closes_at": (now + manner.lasts).isoformat(),
        },
        line,
        as_json=as_json,
    )


async def _ask_more(tx: "Tx", now: datetime, rollcall_id: int) -> bool:
    from storage.rhythm.rollcall_rounds import write_next
    from storage.rhythm.rollcalls import lock_due

    due = await lock_due(tx, now, only=rollcall_id)
    if due is None or due.written_to is None or due.ended_at is not None:
        return False
    await write_next(tx, due, now)
    return True


@app.command("list")
def list_(
    area: WithinArea = None,
    limit: Newest = 20,
    as_json: AsJson = False,
) -> None:
    """The roll calls, the newest first."""
    from storage.people.areas import find_area
    from storage.rhythm.rollcall_access import every_rollcall, figures_of

    async def work(opened: "Opened") -> "list[tuple[RollcallInfo, Figures]]":
        async with opened.db.read() as tx:
            found = None if area is None else await find_area(tx, area)
            calls = await every_rollcall(tx, found, limit=limit)
            return [(call, await figures_of(tx, call)) for call in calls]

    found = with_database(work)
    lines = [
        f"{call.id:>6}  {call.at:%Y-%m-%d %H:%M}  {'open' if call.is_open else 'over':<5}"
        f"{_whom(call)}: {_in_words(figures)}"
        + (f"\n{'':8}“{' '.join(call.text.split())}”" if call.text else "")
        for call, figures in found
    ]
    show(
        {"rollcalls": [_as_json(call, figures) for call, figures in found]},
        lines or ["There was no roll call yet."],
        as_json=as_json,
    )


@app.command("show")
def show_(number: Number, as_json: AsJson = False) -> None:
    """How one stands: safe, need help, no answer."""
    from storage.errors import Refused
    from storage.rhythm.rollcall_access import figures_of, find_rollcall

    async def work(opened: "Opened") -> "tuple[RollcallInfo, Figures] | None":
        async with opened.db.read() as tx:
            call = await find_rollcall(tx, number)
            return None if call is None else (call, await figures_of(tx, call))

    found = with_database(work)
    if found is None:
        raise Refused(f"there is no roll call {number}")
    call, figures = found
    state = "open" if call.ended_at is None else f"over since {call.ended_at:%Y-%m-%d %H:%M} UTC"
    lines = [
        f"Roll call {call.id} of {_whom(call)}, {state}.",
        *(f"  | {line}" for line in (call.text or "(the usual words)").splitlines()),
        f"  {_in_words(figures)}",
    ]
    if call.ended_at is None:
        lines.append(f"  It ends by itself at {call.closes_at:%Y-%m-%d %H:%M} UTC.")
    show(_as_json(call, figures), lines, as_json=as_json)


@app.command("close")
def close(number: Number, as_json: AsJson = False) -> None:
    """End one now: nobody is asked any more, and everyone who was asked gets a summary."""
    from storage.errors import Refused
    from storage.rhythm.rollcall_access import figures_of, find_rollcall
    from storage.rhythm.rollcalls import end_rollcall

    async def work(opened: "Opened") -> "tuple[RollcallInfo | None, Figures | None, bool]":
        async with opened.db.write() as tx:
            call = await find_rollcall(tx, number)
            if call is None:
                return None, None, False
            ended = await end_rollcall(tx, number, by=None, now=datetime.now(UTC))
            again = await find_rollcall(tx, number)
            assert again is not None
            return again, await figures_of(tx, again), ended

    call, figures, ended = with_database(work)
    if call is None or figures is None:
        raise Refused(f"there is no roll call {number}")
    if not ended:
        raise Refused(f"roll call {number} is over already")
    show(
        _as_json(call, figures),
        f"Roll call {number} is over. {_in_words(figures)}",
        as_json=as_json,
    )


def _whom(call: "RollcallInfo") -> str:
    """The area, and the place where only those there now were asked."""
    from bot.settings import terminal_language
    from storage.people.places import place_name

    where = call.where
    place = place_name(where.country, where.province, where.city, terminal_language())
    return call.area_code if place is None else f"{call.area_code}, in {place}"


def _in_words(figures: "Figures") -> str:
    return (
        f"asked {figures.asked}: safe {figures.safe}, need help {figures.help}, "
        f"word in another way {figures.heard}, no answer {figures.silent}, "
        f"not reached {figures.unreached}, left {figures.left}"
    )


def _as_json(call: "RollcallInfo", figures: "Figures") -> dict[str, Any]:
    return {
        "rollcall": call.id,
        "area": call.area_code,
        "country": call.where.country,
        "province": call.where.province,
        "city": call.where.city,
        "text": call.text,
        "urgent": call.urgent,
        "at": call.at.isoformat(),
        "closes_at": call.closes_at.isoformat(),
        "ended_at": None if call.ended_at is None else call.ended_at.isoformat(),
        "asked": figures.asked,
        "safe": figures.safe,
        "help": figures.help,
        "heard": figures.heard,
        "silent": figures.silent,
        "unreached": figures.unreached,
        "left": figures.left,
    }
