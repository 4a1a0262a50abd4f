"""Why a message did not arrive, or waits: the machine's reasons in the reader's words."""

from collections import Counter
from collections.abc import Iterable

from aiogram.utils.i18n import gettext as _

from scheduler.reasons import HEARD
from storage.outbox.burden import USED_UP


def reason_words(reason: str | None) -> str | None:
    """The reason in the current language; one that is not known here is shown as it is."""
    if reason is None:
        return None
    told = _told().get(reason)
    if told is not None:
        return told
    for beginning, words in _begun().items():
        if reason.startswith(beginning):
            # What a channel or a program said is in its own language; the rest of it stays.
            return words.format(words=reason.removeprefix(beginning).strip("“”"))
    return reason


def waits_words(waits: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Why people wait, and how many, in the current language; what is worded alike is one."""
    told: Counter[str] = Counter()
    for reason, count in waits:
        told[reason_words(reason) or reason] += count
    return told.most_common()


def _told() -> dict[str, str]:
    return {
        "blocked": _("blocked the chat"),
        "gone": _("the chat is gone"),
        "no account": _("no chat to reach them at"),
        "no consent": _("agreed to no messages, or not any more"),
        "paused": _("taking a break from messages"),
        "at home": _("at home"),
        "left": _("has left"),
        "the person has left": _("has left"),
        "the person who asked has left": _("who asked has left"),
        "no longer wanted": _("they no longer want it"),
        "done already": _("done already, so there was nothing to remind of"),
        "the topic was stopped": _("the topic was stopped"),
        "the rule was stopped": _("the rule was stopped"),
        "its reminder is missing": _("its text is missing"),
        "answered before it was sent": _("answered before it was sent"),
        HEARD: _("there was word of them meanwhile"),
        "quiet hours": _("it is night there, or an hour they keep quiet, so it waits"),
        USED_UP: _("enough has reached them this week; it comes with the next message, or later"),
        "slowed down by the channel": _("the channel asks to go slower"),
        "others came first": _("other messages to them go first"),
        "waits for its channel": _("waits for its channel, which is not running"),
        "no connection to the channel": _("the channel cannot be reached"),
        "no secure connection to the channel": _("the channel cannot be reached"),
        "the channel's address was not found": _("the channel cannot be reached"),
        "no answer from the channel": _("the channel did not say whether it arrived"),
        "the channel's answer could not be read": _("the channel did not say whether it arrived"),
        "interrupted while it was being sent": _("the service stopped while it was being sent"),
        "the service stopped": _("the service stopped before it was sent"),
        "the channel is busy": _("the channel is busy"),
        "the channel has trouble": _("the channel has trouble"),
        "the chat has moved": _("the chat has a new number"),
        "a file could not be fetched yet": _("its file could not be fetched yet"),
        "the channel refuses the bot's token": _("the channel lets our bot in no more"),
        "the channel does not know the bot": _("the channel lets our bot in no more"),
        "too large for the channel": _("too large for the channel"),
        "not sent in time": _("its time was over before it could be sent"),
        "the notice was stopped": _("the notice was stopped before it reached them"),
        "the roll call is over": _("the roll call was over before it reached them"),
        "its notice is missing": _("its text is missing"),
        "its roll call is missing": _("its text is missing"),
        "its check-in is missing": _("its text is missing"),
        "its case is missing": _("its text is missing"),
        "its answer is missing": _("its text is missing"),
        "nothing was written for it": _("its text is missing"),
        "the name cannot be read with this secret key": _(
            "their name cannot be read with this secret key"
        ),
        "restored from a backup": _("the service was restored from a backup"),
        "restored from a backup: it may have been sent since": _(
            "the service was restored from a backup; it may have arrived since"
        ),
        "from the command line": _("by the operator"),
    }


def _begun() -> dict[str, str]:
    return {
        "refused: ": _("the channel refused it ({words})"),
        "only in part: ": _("only a part of it arrived ({words})"),
        "there are no words for ": _("there are no words for “{words}”"),
        "could not be written: ": _("it could not be written ({words})"),
        "error: ": _("something went wrong ({words})"),
    }
