"""A notice, as people see it: who it is from, and its words."""

from aiogram.utils.i18n import gettext as _


def notice_text(area_name: str, words: str) -> str:
    """In the current language; the preview an officer confirms is made of the same."""
    # Not inside the f-string, where nobody finds what is to be translated.
    head = _("From {area}:").format(area=area_name)
    return f"{head}\n\n{words}"
