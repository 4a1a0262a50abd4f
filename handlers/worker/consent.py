"""The words a worker or an officer agrees to, named by :data:`storage.people.enrolment.WORDING`."""

from aiogram.utils.i18n import gettext as _


def worker_consent(area: str) -> str:
    """What is kept, who sees it, for how long, how to stop."""
    return "\n".join(
        (
            _("{area} would like to hear now and then that you are well. If you agree:").format(
                area=area
            ),
            "",
            _("• Kept: your name, this chat, roughly where you are, when we heard from you."),
            _("• Your village's liaison and the offices above see it. You see who looked."),
            _("• We keep it until you leave. Then it is erased."),
            _('• It is up to you. Pause or leave any time under "My data"; it costs nothing.'),
        )
    )


def worker_consent_more(area: str) -> str:
    """The longer answer to "what exactly?"."""
    return "\n".join(
        (
            _("About once a week we ask how you are. One tap answers."),
            _("If we hear nothing for a while, the liaison of {area} may call you.").format(
                area=area
            ),
            _("Where you are is kept as country, province and city, never a precise spot."),
            _("We never ask about births, health results, fines or other people."),
            _('Under "My data" you can see, change, download and erase everything.'),
        )
    )


def officer_consent(area: str) -> str:
    """What an officer agrees to."""
    return "\n".join(
        (
            _("You have been asked to look after the people of {area} who work away.").format(
                area=area
            ),
            "",
            _("• We keep your name, this chat, and what you do here for them."),
            _("• When you look at someone's record, it is written down and they can see it."),
            _("• You can leave any time; your name is erased then."),
        )
    )


def relative_consent(name: str, area: str) -> str:
    """What a relative of the worker ``name`` agrees to."""
    return "\n".join(
        (
            _(
                "{name} works away, and would like you to be able to say that all is well "
                "with them. If you agree:"
            ).format(name=name),
            "",
            _(
                "• Now and then we ask you whether you have heard from {name}. "
                "You can also tell us yourself, any time."
            ).format(name=name),
            _(
                "• Kept: your name, this chat and that answer. "
                "{name} and the liaison of {area} see it."
            ).format(name=name, area=area),
            _(
                "• You see nothing of what is held about {name}. "
                "What else you write here goes to the liaison."
            ).format(name=name),
            _("• It is up to you. Stop any time with one tap, and have it all erased."),
        )
    )
