"""A roll call that runs: its figures in one message that changes, its lists, its end."""

from datetime import datetime, timedelta

from aiogram import F, Router
from aiogram.methods import AnswerCallbackQuery, EditMessageText, SendMessage
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import I18n, get_i18n, ngettext
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import PersonTap
from handlers.liaison.keyboards import Rows, button, menu_row
from handlers.liaison.show import Page, remark, show
from handlers.rollcall_keyboards import CallListTap, CallTap, count_keyboard
from handlers.rollcall_words import count_lines, whom_words
from scheduler.rollcall_counts import Write
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.places import place_name
from storage.people.who import Who
from storage.rhythm.rollcall_access import RollcallInfo, access_rollcall, figures_of
from storage.rhythm.rollcall_figures import WITHOUT_WORD, Figures, Named, State, list_rollcall
from storage.rhythm.rollcall_views import View, keep_view
from storage.rhythm.rollcalls import end_rollcall

router = Router(name="liaison.rollcall_live")
A_PAGE = 5
SOON = timedelta(seconds=3)
_LISTS: dict[str, tuple[State, ...]] = {"silent": WITHOUT_WORD, "help": ("help",)}


def _not_yours() -> str:
    return _("That roll call isn't yours to see.")


async def show_count(tap: CallbackQuery, tx: Tx, who: Who, now: datetime, number: int) -> Page:
    """The figures in the tapped message, which changes from now on by itself."""
    call = await access_rollcall(tx, who.person_id, number)
    if call is None:
        return remark(tap, _not_yours())
    figures = await figures_of(tx, call)
    shown = tap.message
    if call.is_open and isinstance(shown, Message) and shown.text is not None:
        await keep_view(
            tx,
            rollcall_id=call.id,
            person_id=who.person_id,
            bot_id=who.bot_id,
            chat_id=who.chat_id,
            message_id=shown.message_id,
            shown=figures.as_key(),
            next_at=now + SOON,
        )
    text = "\n".join(count_lines(call, figures, now, who.timezone))
    return show(tap, text, count_keyboard(call, figures))


@router.callback_query(CallTap.filter(F.act == "count"))
async def count(
    tap: CallbackQuery, callback_data: CallTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await show_count(tap, tx, who, now, callback_data.rollcall_id)


@router.callback_query(CallListTap.filter(F.what.in_(set(_LISTS))))
async def show_list(
    tap: CallbackQuery, callback_data: CallListTap, tx: Tx, who: Who, now: datetime
) -> Page:
    """Names with their numbers, a page at a time; each of them can see who looked."""
    call = await access_rollcall(tx, who.person_id, callback_data.rollcall_id)
    if call is None:
        return remark(tap, _not_yours())
    states = _LISTS[callback_data.what]
    figures = await figures_of(tx, call)
    total = sum(figures.of(state) for state in states)
    # The list may have become shorter since the page was shown.
    offset = max(0, min(callback_data.offset, (total - 1) // A_PAGE * A_PAGE))
    people = await list_rollcall(
        tx, call.id, call.roots, states, phones=True, limit=A_PAGE, offset=offset
    )
    if not people:
        return remark(tap, _("Nobody any more."))
    for one in people:
        await record_look(tx, who.person_id, now, what="rollcall", person_id=one.person_id)
    lines = [_title(call, callback_data.what, total), ""]
    lines += [_line(number, one) for number, one in enumerate(people, offset + 1)]
    rows: Rows = [
        [button(_cut(_name(one)), PersonTap(person_id=one.person_id, back="0"))] for one in people
    ]
    turn = []
    for label, to in ((_("Previous"), offset - A_PAGE), (_("Next"), offset + A_PAGE)):
        if 0 <= to < total:
            page = CallListTap(rollcall_id=call.id, what=callback_data.what, offset=to)
            turn.append(button(label, page))
    if turn:
        rows.append(turn)
    rows.append(menu_row())
    text, markup = "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows)
    if callback_data.offset < 0:
        # The figures stay where they are.
        return [
            AnswerCallbackQuery(callback_query_id=tap.id),
            SendMessage(chat_id=tap.from_user.id, text=text, reply_markup=markup),
        ]
    return show(tap, text, markup)


def _title(call: RollcallInfo, what: str, total: int) -> str:
    if what == "help":
        said = ngettext("{whom}: {n} person needs help", "{whom}: {n} people need help", total)
    else:
        said = ngettext("{whom}: no word of {n} person", "{whom}: no word of {n} people", total)
    return said.format(whom=whom_words(call.area_name, call.where), n=total)


def _name(one: Named) -> str:
    return one.name or _("Someone without a name")


def _cut(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"


def _line(number: int, one: Named) -> str:
    place = place_name(one.country, one.province, one.city, get_i18n().current_locale) or one.place
    known = [
        _cut(_name(one)),
        place,
        one.phone or _("no phone number"),
        _("couldn't be reached here") if one.state == "unreached" else None,
    ]
    return f"{number}. " + " · ".join(part for part in known if part)


@router.callback_query(CallTap.filter(F.act == "close"))
async def ask_close(tap: CallbackQuery, callback_data: CallTap, tx: Tx, who: Who) -> Page:
    call = await access_rollcall(tx, who.person_id, callback_data.rollcall_id)
    if call is None:
        return remark(tap, _not_yours())
    if call.roots is not None:
        return remark(tap, _only_whole(call))
    if not call.is_open:
        return remark(tap, _("It is over already."))
    figures = await figures_of(tx, call)
    lines = [
        _("End the roll call of {whom}?").format(whom=whom_words(call.area_name, call.where)),
        ngettext(
            "{n} person has not given word; they won't be asked again.",
            "{n} people have not given word; they won't be asked again.",
            figures.missing,
        ).format(n=figures.missing)
        if figures.missing
        else _("There is word of everyone."),
        _("Everyone who was asked gets a short summary, without names."),
    ]
    rows: Rows = [
        [button(_("Yes, end it"), CallTap(rollcall_id=call.id, act="sure"))],
        [button(_("No, keep asking"), CallTap(rollcall_id=call.id, act="on"))],
    ]
    return [
        AnswerCallbackQuery(callback_query_id=tap.id),
        SendMessage(
            chat_id=tap.from_user.id,
            text="\n".join(lines),
            reply_markup=InlineKeyboardMarkup(inline_keyboard=rows),
        ),
    ]


def _only_whole(call: RollcallInfo) -> str:
    return _("Only who looks after all of {area} can end it.").format(area=call.area_name)


@router.callback_query(CallTap.filter(F.act == "sure"))
async def close(
    tap: CallbackQuery, callback_data: CallTap, tx: Tx, who: Who, now: datetime
) -> Page:
    call = await access_rollcall(tx, who.person_id, callback_data.rollcall_id)
    if call is None:
        return remark(tap, _not_yours())
    if call.roots is not None:
        return remark(tap, _only_whole(call))
    rows = InlineKeyboardMarkup(inline_keyboard=[menu_row()])
    if not await end_rollcall(tx, call.id, by=who.person_id, now=now):
        return show(tap, _("It is over already."), rows)
    return show(tap, _("It is over. The figures and the open names come in a moment."), rows)


@router.callback_query(CallTap.filter(F.act == "on"))
async def go_on(tap: CallbackQuery) -> Page:
    return show(tap, _("Good, it goes on."), InlineKeyboardMarkup(inline_keyboard=[menu_row()]))


def writes_counts(i18n: I18n) -> Write:
    """The edits of the messages that officers watch, each in its reader's language."""

    def write(view: View, call: RollcallInfo, figures: Figures, now: datetime) -> EditMessageText:
        with i18n.context(), i18n.use_locale(view.language):
            return EditMessageText(
                chat_id=view.chat_id,
                message_id=view.message_id,
                text="\n".join(count_lines(call, figures, now, view.timezone)),
                reply_markup=count_keyboard(call, figures),
            )

    return write
