"""The few words that figures have for why a message waits, or ended as it did."""

from typing import Final

from storage.outbox.burden import USED_UP

OTHER: Final = "other"
HEARD: Final = "there was word of them meanwhile"
"""Why nobody is asked once more, or told of a silence that is over."""
_WORDS: Final = {
    "a file could not be fetched yet": "file",
    "answered before it was sent": "answered",
    "at home": "at home",
    "blocked": "blocked",
    "gone": "gone",
    "interrupted while it was being sent": "interrupted",
    "left": "person left",
    "no account": "no account",
    "no answer from the channel": "no answer",
    "no consent": "no consent",
    "no connection to the channel": "no connection",
    "no secure connection to the channel": "no connection",
    "not sent in time": "too late",
    "done already": "answered",
    "no longer wanted": "answered",
    "the topic was stopped": "stopped",
    "the rule was stopped": "stopped",
    "others came first": "chat pace",
    "paused": "paused",
    "quiet hours": "quiet hours",
    "restored from a backup": "restored",
    "slowed down by the channel": "throttled",
    "the channel does not know the bot": "token",
    "the channel has trouble": "channel trouble",
    "the channel is busy": "channel trouble",
    "the channel refuses the bot's token": "token",
    "the channel's address was not found": "no connection",
    "the channel's answer could not be read": "no answer",
    "the chat has moved": "chat moved",
    "the notice was stopped": "stopped",
    "the person has left": "person left",
    "the roll call is over": "roll call over",
    "the service stopped": "service stopped",
    HEARD: "heard",
    USED_UP: "budget",
    "too large for the channel": "too large",
    "waits for its channel": "no such channel",
}
_BEGINNINGS: Final = {
    "could not be written": "not written",
    "error:": "error",
    "only in part": "in part",
    "refused:": "refused",
    "restored from a backup": "restored",
    "there are no words for": "not written",
}
_ENDINGS: Final = {" is missing": "missing"}

WORDS: Final = frozenset({"", OTHER, *_WORDS.values(), *_BEGINNINGS.values(), *_ENDINGS.values()})
"""All there are: as many as a label may have values."""


def reason_in_a_word(reason: str | None) -> str:
    """``reason``, as an officer reads it, as one of :data:`WORDS`; empty for none."""
    if not reason:
        return ""
    if reason in _WORDS:
        return _WORDS[reason]
    for beginning, word in _BEGINNINGS.items():
        if reason.startswith(beginning):
            return word
    for ending, word in _ENDINGS.items():
        if reason.endswith(ending):
            return word
    return OTHER
