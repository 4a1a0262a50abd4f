"""What was sent, done and heard on a day, in sentences."""

from collections.abc import Mapping, Sequence

from aiogram.utils.i18n import gettext as _

from handlers.moments import Moments
from handlers.reasons import reason_words
from handlers.rule_words import schedule_words
from handlers.why_verdict import not_expected
from storage.rhythm.why_facts import (
    Asked,
    Coming,
    FamilyAsked,
    Heard,
    Message,
    Reason,
    StepTaken,
    TaskNoted,
)


def asked_words(asked: Asked, when: Moments, names: Mapping[str, str]) -> str:
    """``names`` are by the rules' codes."""
    if asked.rollcall:
        words = _("A roll call, {at}.").format(at=when.at(asked.due_at))
    elif asked.rule is None:
        words = _("A check-in, {at}.").format(at=when.at(asked.due_at))
    else:
        words = _("A check-in by “{rule}” (version {n}), due {at}.").format(
            rule=names.get(asked.rule, asked.rule), n=asked.version or 1, at=when.at(asked.due_at)
        )
    if asked.delivered_at is None:
        words += " " + _("It was not delivered.")
    else:
        words += " " + _("Delivered {at}.").format(at=when.at(asked.delivered_at))
    if asked.answered_at is not None:
        said = (
            _("Answered {at}: {answer}.")
            if _in_time(asked)
            else _("Answered {at}, after its time: {answer}.")
        )
        return f"{words} " + said.format(
            at=when.at(asked.answered_at), answer=answer_word(asked.answer or "ok")
        )
    if asked.over_at is not None:
        return f"{words} " + _(
            "No answer so far. The roll call is over since {at}; an answer still counts."
        ).format(at=when.at(asked.over_at))
    return f"{words} " + _("No answer so far; one counts as in time until {at}.").format(
        at=when.at(asked.window_until)
    )


def _in_time(asked: Asked) -> bool:
    return asked.answered_at is not None and asked.answered_at < asked.window_until


def answer_word(answer: str) -> str:
    return {
        "ok": _("all well"),
        "moved": _("moved elsewhere"),
        "home": _("going home"),
        "help": _("needs help"),
        "done": _("done"),
        "later": _("later"),
        "stop": _("no more of this"),
    }.get(answer, answer)


def message_words(message: Message, when: Moments) -> str:
    """Its fate; a reason where there is one."""
    words = _fate(message.state).format(
        what=template_word(message.template), at=when.at(message.at)
    )
    reason = reason_words(message.reason)
    if reason:
        words += " " + _("Why: {reason}.").format(reason=reason)
    elif message.state == "queued" and message.attempts == 0:
        words += " " + _("It leaves when its time has come.")
    return words


def _fate(state: str) -> str:
    return {
        "queued": _("{what}: waits until {at}."),
        "sending": _("{what}: on its way since {at}."),
        "sent": _("{what}: sent {at}."),
        "unknown": _("{what}: not certain whether it arrived, {at}."),
        "failed": _("{what}: could not be delivered, {at}."),
        "expired": _("{what}: its time was over, {at}."),
        "cancelled": _("{what}: held back, {at}."),
    }.get(state, _("{what}: {at}."))


def template_word(template: str) -> str:
    return {
        "checkin": _("The question"),
        "rollcall": _("The roll call"),
        "nudge": _("A first nudge"),
        "nudge_again": _("Another nudge"),
        "rollcall_nudge": _("A nudge of the roll call"),
        "rollcall_over": _("How the roll call ended"),
        "rollcall_report": _("A report on a roll call"),
        "broadcast": _("A notice"),
        "reminder": _("A reminder they chose"),
        "case_reply": _("An answer to what they asked"),
        "case_new": _("A question for the liaison"),
        "case_more": _("More on a question for the liaison"),
        "help_urgent": _("An urgent call for help"),
        "kin_ask": _("A question about someone of theirs"),
        "kin_agreed": _("That family may give word"),
        "kin_stopped": _("That family no longer gives word"),
        "kin_over": _("That nothing more is asked of them"),
        "tasks": _("Whom to get in touch with"),
        "tasks_call": _("Whose family wants a call"),
        "tasks_raised": _("Whom nobody got in touch with"),
    }.get(template, _("A message ({kind})").format(kind=template))


def step_words(step: StepTaken, when: Moments) -> str:
    """A step of those that follow silence."""
    at = when.at(step.at)
    if step.outcome == "skipped":
        words = {
            "nudge": _("No nudge, {at}."),
            "relative": _("The family was not asked, {at}."),
            "liaison": _("The liaison got no task, {at}."),
            "supervisor": _("The supervisor was not told, {at}."),
        }.get(step.kind, _("A step was left out, {at}.")).format(at=at)
        reason = reason_words(step.reason)
        return words + " " + _("Why: {reason}.").format(reason=reason) if reason else words
    return {
        "nudge": _("Asked once more, {at}."),
        "relative": _("The family was to be asked, {at}."),
        "liaison": _("The liaison was given a task, {at}."),
        "supervisor": _("The supervisor was told, {at}."),
    }.get(step.kind, _("A next step, {at}.")).format(at=at)


def family_words(asked: FamilyAsked, when: Moments) -> str:
    if asked.answer is None:
        return _("The family was asked, {at}.").format(at=when.at(asked.at))
    said = {
        "fine": _("they are fine"),
        "no": _("no word of them"),
        "call": _("better call"),
    }.get(asked.answer, asked.answer)
    return _("The family answered, {at}: {said}.").format(at=when.at(asked.at), said=said)


def task_words(task: TaskNoted, when: Moments) -> str:
    return {
        "opened": _("A task for the liaison was opened, {at}."),
        "raised": _("The task went on to the supervisor, {at}."),
        "closed": _("The liaison's task was closed, {at}."),
    }[task.what].format(at=when.at(task.at))


def heard_words(heard: Heard, when: Moments) -> str:
    if heard.evidence == "self":
        words = _("They were heard from, {at}.")
    elif heard.evidence == "relative":
        words = _("The family had word of them, {at}.")
    elif heard.success:
        words = _("A liaison reached them, {at}.")
    else:
        words = _("A liaison tried, and did not reach them, {at}.")
    return words.format(at=when.at(heard.at))


def heard_often_words(those: Sequence[Heard], when: Moments) -> str:
    """What a person did themselves, one thing after the other on one day, in one sentence."""
    at = when.span(those[0].at, those[-1].at)
    return _("They were heard from {n} times, {at}.").format(n=len(those), at=at)


def coming_words(coming: Coming, when: Moments) -> str:
    at = "" if coming.at is None else when.at(coming.at)
    if coming.kind == "checkin":
        rule = schedule_words(coming.table) if coming.table else coming.code
        return _("Next: the rule “{rule}” asks on {at}.").format(rule=rule, at=at)
    if coming.kind == "step":
        return _("The open check-in is looked at again on {at}.").format(at=at)
    if coming.reason is Reason.ALMANAC_ENDS:
        return _("What comes next can't be told: the calendar is known until 2100.")
    if coming.reason is None or coming.reason is Reason.NO_RULES:
        return _("Nothing comes next: no rule will ask them.")
    told = not_expected(coming.reason, None, None, when)
    return _("Nothing comes next. {why}").format(why=told)
