"""The card behind a name: who it is, why no word came, what to do; a call or visit in two taps."""

from collections.abc import Sequence
from datetime import datetime

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import CallTap, VisitTap
from handlers.liaison.keyboards import Rows, back_row, button, menu_row
from handlers.liaison.wording import (
    SEPARATOR,
    name_of,
    place_of,
    since_words,
    standing_words,
    why_words,
)
from handlers.next_steps import steps_words
from storage.database import Tx
from storage.family.seen import speaks_for
from storage.family.ties import Relative, relatives_of
from storage.people.looks import record_look
from storage.people.who import Who
from storage.register.next_steps import Facts
from storage.register.silence import SilentPerson, access_person
from storage.register.silence_facts import facts_of, is_silent

Card = tuple[str, InlineKeyboardMarkup]


async def open_person(
    tx: Tx, who: Who, person_id: int, now: datetime, back: str
) -> tuple[SilentPerson, Card] | None:
    """Someone's card, the look written down; None when they are not ``who``'s to look after.

    ``back`` is as :class:`handlers.liaison.callbacks.PersonTap` has it.
    """
    person = await access_person(tx, who, person_id, now)
    if person is None:
        return None
    await record_look(tx, who.person_id, now, what="person", person_id=person_id)
    family = await relatives_of(tx, person_id)
    for one in family:  # each of them can see who looked
        await record_look(tx, who.person_id, now, what="family", person_id=one.person_id)
    facts = None
    if is_silent(person.standing):
        facts = (await facts_of(tx, {person_id: person.silence}, now))[person_id]
    theirs = await speaks_for(tx, person_id, who.person_id)
    return person, _card(person, facts, family, theirs, now, who.timezone, back)


def _card(
    person: SilentPerson,
    facts: Facts | None,
    family: Sequence[Relative],
    theirs: Sequence[str],
    now: datetime,
    timezone: str,
    back: str,
) -> Card:
    place = place_of(person)
    lines = [
        _("Now in {place}").format(place=place) if place else _("Where they are isn't known"),
        since_words(person, now, timezone),
    ]
    why = why_words(person, timezone) or standing_words(person)
    if why:
        lines.append(why)
    lines.append(
        _("Phone {phone}").format(phone=person.phone)
        if person.phone
        else _("No phone number is known; perhaps the family has one.")
    )
    lines += [_family_line(one) for one in family]
    if theirs:
        lines.append(_("Family of: {names}").format(names=", ".join(theirs)))
    lines = [line[:1].upper() + line[1:] for line in lines]
    if facts is not None:
        lines += ["", *(f"→ {step}" for step in steps_words(facts, timezone))]
    called = [
        *_called(person, _("Called: reached"), back, reached=True),
        *_called(person, _("Called: not reached"), back, reached=False),
    ]
    visited = [
        *_visited(person, _("Visited: met"), back, met=True),
        *_visited(person, _("Visited: nobody there"), back, met=False),
    ]
    rows = [
        *(called + visited if person.phone else visited + called),
        back_row(back),
        menu_row(),
    ]
    text = "\n".join((f"{name_of(person)}{SEPARATOR}{person.area_name}", *lines))
    return text, InlineKeyboardMarkup(inline_keyboard=rows)


def _called(person: SilentPerson, text: str, back: str, *, reached: bool) -> Rows:
    tap = CallTap(
        person_id=person.person_id, reached=reached, after=person.last_attempt_id, back=back
    )
    return [[button(text, tap)]]


def _visited(person: SilentPerson, text: str, back: str, *, met: bool) -> Rows:
    tap = VisitTap(person_id=person.person_id, met=met, after=person.last_attempt_id, back=back)
    return [[button(text, tap)]]


def _family_line(one: Relative) -> str:
    name = one.name or _("Someone without a name")
    if one.phone:
        return _("Family who agreed to be asked: {name}, phone {phone}").format(
            name=name, phone=one.phone
        )
    return _("Family who agreed to be asked: {name}").format(name=name)
