"""What a rule came to on a day, in a sentence: each “no” with its reason."""

from collections.abc import Mapping
from datetime import datetime

from aiogram.utils.i18n import gettext as _

from handlers.moments import Moments
from storage.rhythm.why_facts import Reason, Verdict


def verdict_words(verdict: Verdict, when: Moments, names: Mapping[str, str]) -> str:
    """The reason, and where it helps the days around; ``names`` are by the rules' codes."""
    name = names.get(verdict.code, verdict.code)
    other = names.get(verdict.other or "", verdict.other or "")
    told = (
        _sent(verdict, name, other, when)
        or _of_the_rule(verdict, name, when)
        or not_expected(verdict.reason, verdict.at, verdict.until, when)
    )
    near = _near(verdict, when)
    return f"{told} {near}" if near else told


def _sent(verdict: Verdict, name: str, other: str, when: Moments) -> str | None:
    at = "" if verdict.at is None else when.at(verdict.at)
    by = {
        "chosen": _("the hour they chose"),
        "usual": _("the hour at which they usually answer"),
    }.get(verdict.minute_by or "", _("the rule's hour"))
    return {
        Reason.ASKED: _("Asked by the rule “{rule}”.").format(rule=name),
        Reason.WILL_ASK: _("The rule “{rule}” will ask on {at}: {why}.").format(
            rule=name, at=at, why=by
        ),
        Reason.OTHER_RULE: _(
            "Not asked by “{rule}”: another rule, “{other}”, asked that day, and nobody is asked "
            "twice."
        ).format(rule=name, other=other),
        Reason.SLOWER: _(
            "Not asked by “{rule}”: they chose to be asked less often, and this was not their turn."
        ).format(rule=name),
        Reason.NOT_PLANNED: _(
            "“{rule}” was due, but nothing was planned for them: the service was not running "
            "then, or they were in another time zone."
        ).format(rule=name),
    }.get(verdict.reason)


def _of_the_rule(verdict: Verdict, name: str, when: Moments) -> str | None:
    at = "" if verdict.at is None else when.at(verdict.at)
    return {
        Reason.NOT_DUE: _("Nothing was due by the rule “{rule}”.").format(rule=name),
        Reason.NOT_BEGUN: _("The rule “{rule}” had not begun yet.").format(rule=name),
        Reason.ENDED: _("The rule “{rule}” is over.").format(rule=name),
        Reason.ALMANAC_ENDS: _(
            "Nothing can be said of the rule “{rule}”: the calendar is known until 2100."
        ).format(rule=name),
        Reason.MADE_LATER: _("The rule “{rule}” was made later, on {at}.").format(rule=name, at=at),
        Reason.STOPPED: _("The rule “{rule}” was stopped on {at}.").format(rule=name, at=at),
        Reason.NO_RULES: _("No rule speaks for them."),
    }.get(verdict.reason)


def not_expected(
    reason: Reason, since: datetime | None, until: datetime | None, when: Moments
) -> str:
    """Why they are not asked at all."""
    words = {
        Reason.JOINED_LATER: _("They came later, so nothing was sent to them."),
        Reason.NO_WORKER: _("They are on no area's register, so no rule asks them."),
        Reason.NO_CONSENT: _("They did not agree to be written to, so nothing is sent."),
        Reason.WITHDRAWN: _("They withdrew their agreement, so nothing is sent."),
        Reason.ERASED: _("They left, and what was kept of them is erased."),
        Reason.HOME: _("They said that they are at home or going home, so they are not asked."),
        Reason.PAUSED: _("They take a break, so they are not asked."),
        Reason.LEFT: _("They have left, so they are not asked."),
    }.get(reason, _("Nothing comes by any rule."))
    if since is not None:
        words += " " + _("Since {at}.").format(at=when.at(since))
    if until is not None:
        words += " " + _("Until {at}.").format(at=when.at(until))
    return words


def _near(verdict: Verdict, when: Moments) -> str:
    before, after = verdict.before, verdict.after
    if before is not None and after is not None:
        return _("The time before is {before}, the next {after}.").format(
            before=when.day(before), after=when.day(after)
        )
    if after is not None:
        return _("The next is {after}.").format(after=when.day(after))
    if before is not None:
        return _("The last was {before}.").format(before=when.day(before))
    return ""
