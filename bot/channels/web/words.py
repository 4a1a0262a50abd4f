"""What the page itself says, in the visitor's language."""

import contextlib
from collections.abc import Callable

from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

from locales.catalogs import DEFAULT, match_language


def pick_language(accept: str | None) -> str:
    """The first of our languages in an ``Accept-Language`` header.

    English for someone who reads neither, Chinese when nothing is said.
    """
    ranked = []
    for place, part in enumerate((accept or "").split(",")):
        tag, _sep, weight = part.strip().partition(";q=")
        with contextlib.suppress(ValueError):
            ranked.append((-float(weight or 1), place, tag))
    spoken = [tag for rank, _place, tag in sorted(ranked) if rank and tag not in {"", "*"}]
    ours = (language for tag in spoken if (language := match_language(tag)))
    return next(ours, "en" if spoken else DEFAULT)


def say(i18n: I18n, language: str, sentence: Callable[[], str]) -> str:
    """``sentence()`` in ``language``."""
    with i18n.context(), i18n.use_locale(language):
        return sentence()


def page_words(i18n: I18n, language: str) -> dict[str, str]:
    """Every sentence of the page by the name its scripts know it by."""
    with i18n.context(), i18n.use_locale(language):
        return {
            "room": _("Family chat room"),
            "demo": _("Demo: everyone here is made up."),
            "log": _("Messages"),
            "skip": _("Go to the message box"),
            "connecting": _("Connecting…"),
            "online": _("Connected"),
            "offline": _("You are offline. What you write is kept and sent later."),
            "lost": _("No connection to the room."),
            "retry": _("Try again"),
            "away": _("The room can't be opened right now. It is tried again in a moment."),
            "empty": _("Nothing has been said here yet."),
            "begin": _("Begin"),
            "reload": _("Load again"),
            "noscript": _("The chat needs JavaScript. Please switch it on, or use Telegram."),
            "earlier": _("Earlier messages"),
            "today": _("Today"),
            "yesterday": _("Yesterday"),
            "write": _("Write a message"),
            "send": _("Send"),
            "attach": _("Send a photo or file"),
            "photo": _("Photo"),
            "file": _("File"),
            "place": _("Where I am"),
            "voice": _("Record a voice message"),
            "stop": _("Stop and send"),
            "cancel": _("Cancel"),
            "recording": _("Recording… {seconds} s"),
            "nomic": _("The microphone is not available. Please allow it, or write instead."),
            "noplace": _("Your place is not available. Please type the city instead."),
            "coarse": _("Only the rough area is sent, about the size of a city."),
            "share": _("Send my rough place"),
            "big": _("That file is too big. At most {size} MB can be sent."),
            "long": _("That is too long. Please send it in parts."),
            "you": _("You"),
            "waiting": _("Waiting to be sent"),
            "sent": _("Sent"),
            "received": _("Received"),
            "unsent": _("Not sent"),
            "again": _("Send again"),
            "remove": _("Remove"),
            "typing": _("is typing…"),
            "reply": _("Reply"),
            "replying": _("Reply to"),
            "copied": _("Copied"),
            "close": _("Close"),
            "download": _("Download"),
            "mine_place": _("My rough place"),
            "mine_voice": _("Voice message"),
            "down": _("To the newest message"),
            "menu": _("Show the choices"),
            "hide": _("Hide the choices"),
            "device": _("Open {name}'s conversation in this browser?"),
            "device_whose": _("You will read and write there as {name}."),
            "device_unnamed": _("Open someone else's conversation in this browser?"),
            "open": _("Open"),
            "not_now": _("Not now"),
            "stale": _("That button is no longer in use."),
        }
