"""The options that say what a rule is: who makes one and who changes one has the same."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

Value = str | None
_Every = Annotated[Value, typer.Option(help="“1 week”, “2 weeks”, “3 months”.")]
_On = Annotated[
    list[str] | None, typer.Option(help="sunday, “first sunday” or 15; may be repeated.")
]
_Around = Annotated[Value, typer.Option(help="A day: spring-festival, 05-29, “lunar 08-15”.")]
_Days = Annotated[
    list[int] | None, typer.Option(help="Days from it, -7 is a week before; may be repeated.")
]
_Date = Annotated[Value, typer.Option(help="A date of each person's own: certificate-expiry.")]
_Lead = Annotated[
    list[str] | None, typer.Option(help="How long before the day: 30d; may be repeated.")
]
_Grace = Annotated[Value, typer.Option(help="How late after a standstill: 7d.")]
_At = Annotated[Value, typer.Option(help="Local time of each person; 10:00 if left out.")]
_Between = Annotated[Value, typer.Option(help="The hours it may be sent in: 08:00-21:00.")]
_Window = Annotated[Value, typer.Option(help="How long an answer counts as in time: 72h.")]
_Nudge = Annotated[
    list[str] | None, typer.Option(help="When to ask again: 24h; may be repeated, or none.")
]
_Then = Annotated[Value, typer.Option(help="After silence: none, liaison or relative-first.")]
_Supervisor = Annotated[Value, typer.Option(help="When the supervisor is told: 72h, or never.")]
_Topic = Annotated[Value, typer.Option(help="What a reminder is about.")]
_Zh = Annotated[Value, typer.Option("--zh", help="The words in Chinese.")]
_En = Annotated[Value, typer.Option("--en", help="The words in English.")]
_Starts = Annotated[Value, typer.Option(help="The first day: 2026-12-01.")]
_Ends = Annotated[Value, typer.Option(help="The last day.")]

Command = Callable[..., None]


def takes_terms(command: Command) -> Command:
    """Let a command have these options; they come as ``given``, its table.

    What was not given is not in it. ``words`` are those of the question, or of the reminder.
    """
    own = inspect.signature(command).parameters
    *first, last = [it for it in own.values() if it.name != "given"]
    options = inspect.signature(_given).parameters
    together = [*first, *options.values(), last]

    @wraps(command)
    def run(**values: Any) -> None:
        given = _given(**{name: values.pop(name) for name in options})
        command(given=given, **values)

    # What Typer reads the options from.
    run.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]  # inspect's own
    run.__annotations__ = {it.name: it.annotation for it in together}
    return run


def _given(
    every: _Every = None,
    on: _On = None,
    around: _Around = None,
    days: _Days = None,
    date: _Date = None,
    lead: _Lead = None,
    grace: _Grace = None,
    at: _At = None,
    between: _Between = None,
    window: _Window = None,
    nudge: _Nudge = None,
    then: _Then = None,
    supervisor: _Supervisor = None,
    topic: _Topic = None,
    zh: _Zh = None,
    en: _En = None,
    starts: _Starts = None,
    ends: _Ends = None,
) -> dict[str, Any]:
    given: dict[str, Any] = {
        "every": every,
        "on": [int(one) if one.isdecimal() else one for one in on] if on else None,
        "around": around,
        "days": days or None,
        "date": date,
        "lead": lead or None,
        "grace": grace,
        "at": at,
        "between": None if between is None else between.split("-"),
        "window": window,
        "nudges": [] if nudge == ["none"] else nudge or None,
        "then": then,
        "supervisor": supervisor,
        "topic": topic,
        "starts": starts,
        "ends": ends,
        "words": {it: text for it, text in (("zh", zh), ("en", en)) if text is not None} or None,
    }
    return {key: value for key, value in given.items() if value is not None}
