"""What officers are told unasked of those they look after, and what they answer."""

from aiogram.types import InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.attachments import carry
from handlers.drafts import Draft
from handlers.liaison.case_page import media_words
from handlers.liaison.keyboards import case_rows
from scheduler.letters import Letter, Withheld
from storage.outbox.contents import CaseAbout
from storage.people.places import place_name


def case_new(draft: Draft) -> Letter | Withheld:
    return _to_officer(draft, _("{name} from {area} asks:"), _("{name} from {area} sent {media}."))


def case_more(draft: Draft) -> Letter | Withheld:
    return _to_officer(draft, _("{name} from {area} adds:"), _("{name} from {area} sent {media}."))


def help_urgent(draft: Draft) -> Letter | Withheld:
    head = _("{name} from {area} needs help, and it is urgent.")
    return _to_officer(draft, head, head, urgent=True)


def _to_officer(
    draft: Draft, head_words: str, head_media: str, *, urgent: bool = False
) -> Letter | Withheld:
    """A case as an officer first sees it: who, what they said, how to answer."""
    message = draft.ready.message
    about = draft.batch.cases.get(message.case_id or 0)
    if message.case_id is None or about is None:
        return Withheld("failed", "its case is missing")
    if about.name is None:
        return Withheld("cancelled", "the person who asked has left")
    said = draft.batch.words.get(message.case_message_id or 0)
    name = about.name or _("Someone without a name")
    media = said.media if said else None
    wordless = said is None or not (said.text or media)
    if wordless and not urgent:
        head_words = _("{name} from {area} asks for help, without words yet.")
    head = head_media if media else head_words
    lines = [
        head.format(name=name, area=about.area_name, media=media_words(media) if media else "")
    ]
    if about.family_of:
        lines[0] += "\n" + _("Family of: {names}").format(names=", ".join(about.family_of))
    if said and said.text:
        lines.append(said.text)
    if urgent:
        lines.append(_where_and_phone(about, message.language))
    lines.append(_("Reply to this message, and your answer goes to {name}.").format(name=name))
    markup = InlineKeyboardMarkup(inline_keyboard=case_rows(message.case_id))
    words = "\n\n".join(lines)
    file = (
        carry(said, draft.to, words, markup, silent=draft.ready.silent)
        if said is not None
        else None
    )
    if file is None:
        return draft.text(words, markup)
    if file.with_words:
        return Letter([file.part])
    # The words last: theirs is the message that a reply is matched with.
    return Letter([file.part, *draft.texts(words, markup)])


def _where_and_phone(about: CaseAbout, language: str) -> str:
    known = place_name(about.country, about.province, about.city, language) or about.place
    lines = [
        _("Where: {place}").format(place=known) if known else _("Where they are is not known."),
        _("Phone: {phone}").format(phone=about.phone)
        if about.phone
        else _("There is no phone number for them."),
    ]
    return "\n".join(lines)


def case_reply(draft: Draft) -> Letter | Withheld:
    said = draft.batch.words.get(draft.ready.message.case_message_id or 0)
    if said is None or not said.text:
        return Withheld("failed", "its answer is missing")
    head = (
        _("{name} answers you:").format(name=said.author)
        if said.author
        else _("Your liaison answers you:")
    )
    return draft.text(f"{head}\n\n{said.text}")
