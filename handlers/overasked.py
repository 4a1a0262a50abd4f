"""Who is asked too much, in words: the same in the chat and in the console."""

from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from storage.register.overasked import OverAsked


def overasked_why() -> str:
    """Why there is such a list."""
    return _(
        "A week holds only so many messages for one person. Theirs were full three weeks in a row, "
        "or more waits for them than a week holds. Who hears too much from us stops reading."
    )


def overasked_step() -> str:
    """What can be done about it."""
    return _(
        "Send fewer notices, or several as one. Offer them a slower rhythm, it is under “My data”."
    )


def overasked_words(person: OverAsked) -> str:
    """What one person got, and what waits."""
    words = []
    if person.always_full:
        words.append(
            _("{got} messages in the last three weeks, newest first").format(
                got=" + ".join(str(n) for n in person.got)
            )
        )
    if person.waiting:
        words.append(
            ngettext("{n} message waits", "{n} messages wait", person.waiting).format(
                n=person.waiting
            )
        )
    allowed = ngettext("{n} a week allowed", "{n} a week allowed", person.budget)
    words.append(allowed.format(n=person.budget))
    return " · ".join(words)
