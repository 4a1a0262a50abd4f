"""The list of names behind one figure of the register."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from handlers.console.formats import Format
from handlers.console.standings import (
    CLASSES,
    IN_TOUCH,
    ORDER,
    excluded_word,
    sign_of,
    standing_word,
)
from handlers.next_steps import steps_words
from storage.database import Tx
from storage.people.areas import AreaInfo
from storage.register.figures import NamedStanding, named_register
from storage.register.names_behind import NAMED_REASONS, named_checkins, named_excluded
from storage.register.next_steps import Facts
from storage.register.periods import Period
from storage.register.silence_facts import facts_of, is_silent

_TOGETHER = {"expected": frozenset(ORDER), "in_touch": IN_TOUCH}
_CHECKINS = ("delivered", "answered")


@dataclass(frozen=True, slots=True)
class Line:
    """A name (empty once erased) with a sign and a few words beside it; and what to do next."""

    ref: str
    name: str
    mark: str
    words: str
    next: str | None = None


@dataclass(frozen=True, slots=True)
class NameList:
    title: str
    lines: list[Line]


async def read_list(
    tx: Tx, show: str, area: AreaInfo, period: Period, now: datetime, form: Format
) -> NameList:
    """What ``?show=`` asks for.

    A standing, a class of silence, ``expected``, ``in_touch``, a reason of exclusion, or the
    check-ins ``delivered`` or ``answered``. Raises ``HTTPNotFound`` for anything else.
    """
    if show in _CHECKINS:
        return await _checkins(tx, show, area, period, now, form)
    if show in NAMED_REASONS:
        excluded = await named_excluded(tx, area, period, now, show)
        word = excluded_word(show)
        return NameList(
            _("Not counted: {why}").format(why=word),
            [Line(named.ref, named.name, "·", word) for named in excluded],
        )
    everyone = await named_register(tx, area, period, now)
    if show in CLASSES:
        title = sign_of("silent", show).word
        listed = [named for named in everyone if named.silence == show]
    elif show in ORDER:
        title = standing_word(show)
        listed = [named for named in everyone if named.standing == show]
    elif show in _TOGETHER:
        title = _("Everyone expected") if show == "expected" else _("Everyone in touch")
        listed = [named for named in everyone if named.standing in _TOGETHER[show]]
    else:
        raise web.HTTPNotFound
    facts: dict[int, Facts] = {}
    if period.start <= now < period.end:
        silent = {it.person_id: it.silence for it in listed if is_silent(it.standing)}
        facts = await facts_of(tx, silent, now)
    return NameList(title, [_line(named, facts, area, form) for named in listed])


def _line(named: NamedStanding, facts: Mapping[int, Facts], area: AreaInfo, form: Format) -> Line:
    sign = sign_of(named.standing, named.silence)
    words = sign.word
    if named.last_heard_at is not None:
        when = form.moment(named.last_heard_at, area.timezone)
        # Not inside the f-string: there nobody would find it for the catalogs.
        heard = _("last heard {when}").format(when=when)
        words = f"{words} · {heard}"
    known = facts.get(named.person_id)
    step = None if known is None else steps_words(known, area.timezone)[0]
    return Line(named.ref, named.name, sign.mark, words, step)


async def _checkins(
    tx: Tx, show: str, area: AreaInfo, period: Period, now: datetime, form: Format
) -> NameList:
    delivered = await named_checkins(tx, area, period, now)
    if show == "answered":
        title = _("Check-ins answered in time")
        delivered = [checkin for checkin in delivered if checkin.in_time]
    else:
        title = _("Check-ins delivered")
    lines = []
    for checkin in delivered:
        if checkin.answered_at is None:
            words = _("delivered {when}, no answer yet")
        elif checkin.in_time:
            words = _("delivered {when}, answered in time")
        else:
            words = _("delivered {when}, answered later")
        when = form.moment(checkin.delivered_at, area.timezone)
        mark = "●" if checkin.in_time else "○"
        lines.append(Line(checkin.ref, checkin.name, mark, words.format(when=when)))
    return NameList(title, lines)
