"""Family who may speak for a worker: who, since when, one more, no longer."""

from datetime import datetime

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.utils.i18n import gettext as _

from handlers.callbacks import DataTap
from handlers.keyboards import button
from handlers.links import Links
from handlers.say import Says, day, replace, say, toast
from handlers.worker.access import worker
from storage.database import Tx
from storage.family.links import LINK_LASTS, invite_relative, take_back_link
from storage.family.ties import MOST, end_tie, family_of
from storage.people.who import Who

router = Router(name="family")
router.callback_query.filter(worker)


def family_button() -> InlineKeyboardButton:
    return button(_("Family who may speak for me"), _tap("family"))


def _tap(act: str, value: object = "") -> str:
    return DataTap(act=act, value=str(value)).pack()


async def _page(
    tx: Tx, who: Who, now: datetime, note: str | None = None
) -> tuple[str, InlineKeyboardMarkup]:
    family = await family_of(tx, who.person_id, now)
    lines = [note, ""] if note else []
    rows = []
    if family.relatives:
        lines.append(_("These may say for you that all is well:"))
    else:
        lines.append(_("Nobody of your family speaks for you yet."))
    for one in family.relatives:
        name = one.name or _("Someone without a name")
        lines.append(_("• {name}, since {day}").format(name=name, day=day(one.since, who.timezone)))
        rows.append([button(_("End it: {name}").format(name=name), _tap("kin_end", one.kin_id))])
    for link in family.links:
        made = day(link.made_at, who.timezone)
        lines.append(_("• A link of {day}, not used yet").format(day=made))
        rows.append(
            [button(_("Take back the link of {day}").format(day=made), _link_tap(link.invite_id))]
        )
    lines += ["", _about()]
    if not family.full:
        rows.append([button(_("Invite someone"), _tap("kin_new"))])
    rows.append([button(_("Back"), _tap("page"))])
    return "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows)


def _link_tap(invite_id: int) -> str:
    return _tap("kin_back", invite_id)


def _about() -> str:
    """What the relative will and will not see."""
    return "\n".join(
        (
            _(
                "When we hear nothing from you, we may ask them whether they have; "
                "their word then counts for you."
            ),
            _("They see nothing of you here: not where you are, not what you answer or write."),
            _("Your liaison sees their name."),
        )
    )


@router.callback_query(DataTap.filter(F.act == "family"))
async def tap_family(tap: CallbackQuery, tx: Tx, who: Who, now: datetime) -> Says:
    return [toast(tap), replace(tap, *await _page(tx, who, now))]


@router.callback_query(DataTap.filter(F.act == "kin_new"))
async def tap_new(tap: CallbackQuery) -> Says:
    text = _("Shall someone at home be able to say for you that all is well?")
    markup = InlineKeyboardMarkup(
        inline_keyboard=[
            [button(_("Yes, make a link for them"), _tap("kin_link"))],
            [button(_("Back"), _tap("family"))],
        ]
    )
    return [toast(tap), replace(tap, f"{text}\n\n{_about()}", markup)]


@router.callback_query(DataTap.filter(F.act == "kin_link"))
async def tap_link(tap: CallbackQuery, tx: Tx, who: Who, now: datetime, links: Links) -> Says:
    token = await invite_relative(tx, who, now)
    if token is None:
        enough = _("Up to {n} of the family can speak for you. End one first.").format(n=MOST)
        return [toast(tap), replace(tap, *await _page(tx, who, now, enough))]
    link = links.relative(token)
    telegram, web = link["telegram"], link["web"]
    lines = [
        _("Pass this on to the one you have in mind. It works once, until {day}:").format(
            day=day(now + LINK_LASTS, who.timezone)
        ),
        *([_("Telegram: {link}").format(link=telegram)] if telegram else []),
        _("In any browser: {link}").format(link=web),
        "",
        _("They are asked first whether they want to. We let you know once they agree."),
    ]
    return [
        toast(tap),
        replace(tap, *await _page(tx, who, now)),
        say(tap.from_user.id, "\n".join(lines)),
    ]


@router.callback_query(DataTap.filter((F.act == "kin_end") & F.value.regexp(r"^\d{1,15}$")))
async def tap_end(
    tap: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    ended = await end_tie(tx, who, int(callback_data.value), "worker", now)
    if ended is None:
        note = _("That was over already.")
    else:
        note = _("{name} is not asked about you any more.").format(
            name=ended.relative or _("Someone without a name")
        )
    return [toast(tap), replace(tap, *await _page(tx, who, now, note))]


@router.callback_query(DataTap.filter((F.act == "kin_back") & F.value.regexp(r"^\d{1,15}$")))
async def tap_take_back(
    tap: CallbackQuery, callback_data: DataTap, tx: Tx, who: Who, now: datetime
) -> Says:
    gone = await take_back_link(tx, who, int(callback_data.value), now)
    note = (
        _("The link is taken back; it lets nobody in now.")
        if gone
        else _("That link was used meanwhile, or taken back already.")
    )
    return [toast(tap), replace(tap, *await _page(tx, who, now, note))]
