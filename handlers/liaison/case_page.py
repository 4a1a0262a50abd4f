"""A case as a liaison reads it: who, where, what was said, oldest first."""

from datetime import datetime
from typing import Any

from aiogram.methods import TelegramMethod
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.attachments import AS_IT_CAME
from handlers.liaison.wording import days_between
from handlers.long_text import cut_text, utf16_length
from handlers.say import clock_time, short_day
from handlers.worker.urgency import how_urgent
from storage.talk.inbox import CaseLine, CaseView

_SHORT = 80
_LONGEST = 3400


def media_words(media: str) -> str:
    """What was sent, when it was not words."""
    return {
        "voice": _("a voice message"),
        "photo": _("a photo"),
        "video": _("a video"),
        "video_note": _("a video"),
        "audio": _("a sound file"),
        "document": _("a file"),
    }.get(media, _("a file"))


def case_line(case: CaseLine, now: datetime, timezone: str) -> str:
    """A case in the inbox: who, since when, what is urgent, and what was said last."""
    name = case.person_name or _("Someone who has left")
    days = days_between(case.opened_at, now, timezone)
    since = (
        _("today") if days == 0 else ngettext("{n} day ago", "{n} days ago", days).format(n=days)
    )
    if case.text:
        said = cut_text(" ".join(case.text.split()), _SHORT)
    else:
        said = media_words(case.media) if case.media else _("asked for help, no words yet")
    head = f"{name} · {since}"
    lines = [said]
    if case.urgent:
        head = _("Urgent: {head}").format(head=head)
        alarm = _alarm_of(case)
        if alarm is not None and alarm != case.text:
            lines.insert(0, cut_text(" ".join(alarm.split()), _SHORT))
    return "\n".join((head, *lines))


def _alarm_of(case: CaseLine) -> str | None:
    """The words that made it urgent; else the first ones, where urgency came by a tap."""
    named = (text for text in case.first_words if how_urgent(text) == "urgent")
    return next(named, next(iter(case.first_words), None))


def case_page(case: CaseView, timezone: str) -> str:
    """The whole case, its oldest messages left out when it is too long for one page."""
    name = case.person_name or _("Someone who has left")
    head = f"{name} · {case.area_name}"
    if case.urgent:
        head = _("Urgent: {head}").format(head=head)
    states = {"answered": _("answered"), "closed": _("closed")}
    if case.state in states:
        head = f"{head} · {states[case.state]}"
    turns = []
    for turn in case.turns:
        author = name if turn.by_worker else turn.author or _("Liaison")
        said = [turn.text] if turn.text else []
        if turn.media:
            said.append(f"[{media_words(turn.media)}]")
        if not said:
            said = [_("(erased)")]
        at = f"{short_day(turn.at, timezone)} {clock_time(turn.at, timezone)}"
        turns.append(f"{author} · {at}\n{' '.join(said)}")
    if not turns:
        turns = [_("Asked for help, no words yet.")]
    while len(turns) > 1 and sum(map(utf16_length, turns)) > _LONGEST:
        turns.pop(0)
    page = "\n\n".join((head, *turns))
    footer = _("To answer, reply to this message or tap Answer.")
    return f"{cut_text(page, _LONGEST)}\n\n{footer}"


def media_of_case(case: CaseView, bot_id: int, chat_id: int) -> list[TelegramMethod[Any]]:
    """The voices and pictures themselves, where this channel can hand them on."""
    made: list[TelegramMethod[Any]] = []
    for turn in case.turns:
        # A file's id is good only with the bot it was sent to.
        if turn.media is None or turn.file_id is None or turn.bot_id != bot_id:
            continue
        send = AS_IT_CAME.get(turn.media)
        if send is not None:
            method, field = send
            made.append(method(chat_id=chat_id, **{field: turn.file_id}))
    return made
