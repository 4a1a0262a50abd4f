"""What is wrong with a rule that was typed in, in the reader's words."""

import re
from collections.abc import Callable
from typing import Final

from aiogram.utils.i18n import gettext as _

from storage.rules.terms import Problem

_Words = Callable[[re.Match[str]], str]


_KNOWN: Final[tuple[tuple[re.Pattern[str], _Words], ...]] = (
    (
        re.compile(r"use small letters"),
        lambda _m: _("Use small letters, digits and dashes, such as weekly-sunday."),
    ),
    (
        re.compile(r"use at most (\d+) characters"),
        lambda m: _("That is too long: {n} characters at most.").format(n=m[1]),
    ),
    (
        re.compile(r"(?:is in the night|nobody is written to at night)"),
        lambda _m: _("Stay between 08:00 and 21:00: nobody is written to at night."),
    ),
    (
        re.compile(r"is not between (\S+) and (\S+),"),
        lambda m: _("That is outside the hours of this rule, {start} to {end}.").format(
            start=m[1], end=m[2]
        ),
    ),
    (re.compile(r"is not before"), lambda _m: _("The hours begin later than they end.")),
    (
        re.compile(r"is over before the nudge after (\d+) h"),
        lambda m: _(
            "The last time of asking again is after {n} hours: leave more time than that "
            "for an answer."
        ).format(n=m[1]),
    ),
    (
        re.compile(r"each comes later than the one before"),
        lambda _m: _("Write the hours in order, each once, such as 24, 48."),
    ),
    (re.compile(r"is not after the question"), lambda _m: _("Ask again after an hour at least.")),
    (
        re.compile(r"this is missing: words of its own"),
        lambda _m: _("Write it in this language, too, or leave both empty."),
    ),
    (re.compile(r"this is missing|give at least one"), lambda _m: _("Something is missing here.")),
    (
        re.compile(r"There is no day (\d+) in"),
        lambda m: _("That month has no day {n}.").format(n=m[1]),
    ),
    (
        re.compile(r"there is no day (\d+) in a month"),
        lambda m: _("No month has a day {n}.").format(n=m[1]),
    ),
    (re.compile(r"There is no month"), lambda _m: _("There is no such month.")),
    (
        re.compile(r"is not a day of the almanac"),
        lambda _m: _("Write a day as 05-29, or by the lunar calendar as lunar 08-15."),
    ),
    (
        re.compile(r"there is no day “([^”]*)” in the calendar"),
        lambda m: _("There is no day {day}.").format(day=m[1]),
    ),
    (re.compile(r"is before the rule starts"), lambda _m: _("It ends before it starts.")),
    (
        re.compile(r"is over already|no day of it comes by"),
        lambda _m: _("No day comes before this end any more: choose a later day, or none."),
    ),
    (
        re.compile(r"no day of this rule lies between"),
        lambda _m: _("Between its start and its end there is no such day."),
    ),
    (
        re.compile(r"give a year from (\d+) to (\d+)"),
        lambda m: _("Give a year from {first} to {last}.").format(first=m[1], last=m[2]),
    ),
    (
        re.compile(r"each of its days is a day of (\S+) too"),
        lambda m: _(
            "The rule {rule} asks on the same days, and nobody is asked twice on a day: "
            "this one would ask nobody."
        ).format(rule=m[1]),
    ),
    (
        re.compile(r"each day of (\S+) would be a day of this rule"),
        lambda m: _(
            "The rule {rule} would have no day of its own any more: stop it first, or choose "
            "other days."
        ).format(rule=m[1]),
    ),
    (
        re.compile(r"^(\S+) reminds of the same topic"),
        lambda m: _("The rule {rule} reminds of the same on the same days.").format(rule=m[1]),
    ),
    (
        re.compile(r"has a rule “[^”]*” already"),
        lambda _m: _(
            "There is a rule of this name here already: choose another, or edit that one."
        ),
    ),
    (
        re.compile(r"somebody else changed this rule"),
        lambda _m: _("Somebody else changed this rule meanwhile: look at it again."),
    ),
    (
        re.compile(r"^“(.+)” is about .+: nothing is ever kept or asked"),
        lambda m: _(
            "Not “{word}”: about pregnancy, contraception, births, fines, penalties, informers and "
            "biometrics nothing is ever kept or asked here, not even who chose to hear of it."
        ).format(word=m[1]),
    ),
    (re.compile(r"there is no topic"), lambda _m: _("There is no such topic.")),
    (
        re.compile(r"give between (\d+) and (\d+)"),
        lambda m: _("Give a number from {least} to {most}.").format(least=m[1], most=m[2]),
    ),
    (re.compile(r"stands here twice"), lambda _m: _("The same stands here twice.")),
    (re.compile(r"write the time as"), lambda _m: _("Write the time as 10:00.")),
    (
        re.compile(r"write it as 72h|write it as “1 week”|give a whole number"),
        lambda _m: _("Write a whole number here."),
    ),
    (re.compile(r"when is this due"), lambda _m: _("Choose when it is due.")),
)


def problem_words(problem: Problem) -> str:
    """The problem in the current language; one that is not known here is shown as it is."""
    for pattern, words in _KNOWN:
        found = pattern.search(problem.reason)
        if found is not None:
            return words(found)
    return _("This cannot be: {words}").format(words=problem.reason)
