"""What the page itself says, in the visitor's language."""

from collections.abc import Callable
from typing import Final

from aiogram.utils.i18n import I18n
from aiogram.utils.i18n import gettext as _

LANGUAGES: Final = ("zh", "en")


def pick_language(accept: str | None) -> str:
    """The first of our languages in an ``Accept-Language`` header; English when there is none."""
    ranked = []
    for place, part in enumerate((accept or "").split(",")):
        tag, _sep, weight = part.partition(";q=")
        try:
            rank = float(weight or 1)
        except ValueError:
            rank = 0.0
        ranked.append((-rank, place, tag.strip().lower().partition("-")[0]))
    return next((tag for rank, _place, tag in sorted(ranked) if rank and tag in LANGUAGES), "en")


def first_language(accept: str | None) -> str | None:
    """The browser's own language tag, as Telegram's ``language_code``."""
    tag = (accept or "").partition(",")[0].partition(";")[0].strip()
    return tag if 0 < len(tag) <= 35 and tag.replace("-", "").isalnum() else None


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
            "broken": _("Something went wrong on our side. Your message is kept."),
            "empty": _("Nothing has been said here yet."),
            "begin": _("Begin"),
            "cookies": _("This browser keeps no cookies, so we can't tell you apart from others."),
            "reload": _("Load again"),
            "moved": _("This browser now shows another conversation."),
            "failed": _("This could not be shown."),
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
            "edited": _("edited"),
            "typing": _("is typing…"),
            "reply": _("Reply"),
            "replying": _("Reply to"),
            "copied": _("Copied"),
            "close": _("Close"),
            "download": _("Download"),
            "mine_place": _("My rough place"),
            "mine_voice": _("Voice message"),
            "play": _("Play"),
            "down": _("To the newest message"),
            "menu": _("Show the choices"),
            "hide": _("Hide the choices"),
            "stale": _("That button is no longer in use."),
        }
