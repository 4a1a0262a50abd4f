"""The inbox: what workers asked, answered by a reply or a tap, and closed."""

from datetime import datetime, timedelta
from typing import Any

from aiogram import F, Router
from aiogram.filters import Filter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _
from aiogram.utils.i18n import ngettext

from handlers.liaison.callbacks import CaseTap, InboxPageTap, PersonTap, TaskTap
from handlers.liaison.case_page import case_line, case_page, media_of_case
from handlers.liaison.keyboards import Rows, button, case_rows, menu_row, task_button
from handlers.liaison.show import Page, chat_of, remark, show
from handlers.liaison.states import Answering
from handlers.liaison.words import Asks
from handlers.say import say
from storage.database import Tx
from storage.people.looks import record_look
from storage.people.who import Who
from storage.talk.cases import CaseReplied, case_of_message, close_case, reply_to_case
from storage.talk.inbox import count_open_cases, open_cases, read_case

router = Router(name="liaison.inbox")
A_PAGE = 5
STALE = timedelta(hours=1)
"""What is written so long after a tap on "Answer" may be meant for someone else."""


class RepliesToCase(Filter):
    """The message is a reply to one about a case: one from the outbox, or a page of the inbox."""

    async def __call__(self, message: Message, tx: Tx, who: Who, **_: Any) -> bool | dict[str, int]:
        shown = message.reply_to_message
        if shown is None:
            return False
        case_id = await case_of_message(tx, who.account_id, shown.message_id)
        if case_id is None:
            case_id = _case_under(shown)
        return False if case_id is None else {"case_id": case_id}


def _case_under(shown: Message) -> int | None:
    """The case of the buttons under a page. Whether it is theirs is asked when it is answered."""
    markup = shown.reply_markup
    if shown.from_user is None or not shown.from_user.is_bot or markup is None:
        return None
    prefix = f"{CaseTap.__prefix__}{CaseTap.__separator__}"
    for row in markup.inline_keyboard:
        for shown_button in row:
            data = shown_button.callback_data or ""
            if data.startswith(prefix):
                tapped = CaseTap.unpack(data)
                if tapped.act in ("answer", "close"):
                    return tapped.case_id
    return None


@router.message(RepliesToCase(), F.text.strip())
async def reply(message: Message, tx: Tx, who: Who, now: datetime, case_id: int) -> Page:
    text = (message.text or "").strip()
    replied = await reply_to_case(tx, case_id=case_id, by=who, text=text, now=now)
    return _told(message, replied, case_id)


@router.message(RepliesToCase())
async def refuse_media_reply(message: Message) -> Page:
    return show(message, _("Only text for now. Please write it as a message."))


@router.message(StateFilter(Answering), F.text.strip())
async def take_answer(message: Message, tx: Tx, who: Who, now: datetime, state: FSMContext) -> Page:
    data = await state.get_data()
    await state.clear()
    case_id = int(data.get("case_id", 0))
    if now - datetime.fromisoformat(data["since"]) > STALE:
        return show(
            message,
            _("That was a while ago, so I haven't sent this. Tap Answer to write to them."),
            InlineKeyboardMarkup(inline_keyboard=[*case_rows(case_id), menu_row()]),
        )
    text = (message.text or "").strip()
    replied = await reply_to_case(tx, case_id=case_id, by=who, text=text, now=now)
    return _told(message, replied, case_id)


def _told(message: Message, replied: CaseReplied | None, case_id: int) -> Page:
    if replied is None:
        told = _("This question isn't yours to answer, or not any more.")
        return show(message, told, InlineKeyboardMarkup(inline_keyboard=[menu_row()]))
    if replied.person_name is None:
        told = _("They have left and can't be written to any more, so nothing was sent.")
        return show(message, told, InlineKeyboardMarkup(inline_keyboard=[_close(case_id)]))
    told = _("Sent to {name}.").format(name=replied.person_name or _("them"))
    rows: Rows = [_close(case_id), [task_button("inbox", _("Inbox"))]]
    return show(message, told, InlineKeyboardMarkup(inline_keyboard=rows))


def _close(case_id: int) -> Any:
    return [button(_("Close the case"), CaseTap(case_id=case_id, act="close"))]


@router.message(StateFilter(Answering))
async def refuse_media(message: Message) -> Page:
    return show(message, _("Only text for now. Please write it as a message."))


@router.message(StateFilter(None), Asks("inbox"))
@router.callback_query(TaskTap.filter(F.task == "inbox"))
async def show_inbox(event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime) -> Page:
    return await _page(event, tx, who, now, 0)


@router.callback_query(InboxPageTap.filter())
async def turn_page(
    tap: CallbackQuery, callback_data: InboxPageTap, tx: Tx, who: Who, now: datetime
) -> Page:
    return await _page(tap, tx, who, now, callback_data.offset)


async def _page(
    event: Message | CallbackQuery, tx: Tx, who: Who, now: datetime, offset: int
) -> Page:
    count = await count_open_cases(tx, who)
    if count == 0:
        return show(
            event,
            _("Nobody is waiting for an answer."),
            InlineKeyboardMarkup(inline_keyboard=[menu_row()]),
        )
    offset = min(offset, (count - 1) // A_PAGE * A_PAGE)
    lines = [
        ngettext(
            "{n} question waits for an answer. Oldest first:",
            "{n} questions wait for an answer. Urgent ones first, then the oldest:",
            count,
        ).format(n=count),
        "",
    ]
    rows: Rows = []
    cases = await open_cases(tx, who, limit=A_PAGE, offset=offset)
    for number, case in enumerate(cases, offset + 1):
        await record_look(tx, who.person_id, now, what="case", person_id=case.person_id)
        lines.append(f"{number}. {case_line(case, now, who.timezone)}")
        name = case.person_name or _("Someone who has left")
        rows.append([button(f"{number}. {name}", CaseTap(case_id=case.id, act="read"))])
    turn = []
    if offset > 0:
        turn.append(button(_("Previous"), InboxPageTap(offset=offset - A_PAGE)))
    if offset + A_PAGE < count:
        turn.append(button(_("Next"), InboxPageTap(offset=offset + A_PAGE)))
    if turn:
        rows.append(turn)
    rows.append(menu_row())
    return show(event, "\n".join(lines), InlineKeyboardMarkup(inline_keyboard=rows))


@router.callback_query(CaseTap.filter(F.act == "read"))
async def open_case_page(
    tap: CallbackQuery, callback_data: CaseTap, tx: Tx, who: Who, now: datetime
) -> Page:
    case = await read_case(tx, callback_data.case_id, who)
    if case is None:
        return remark(tap, _("This question isn't yours to see, or not any more."))
    await record_look(tx, who.person_id, now, what="case", person_id=case.person_id)
    rows = case_rows(case.id)
    if case.person_name is not None:
        card = PersonTap(person_id=case.person_id, back="0")
        rows.append([button(_("How to reach them"), card)])
    rows.append([task_button("inbox", _("Inbox"))])
    return [
        *show(
            tap,
            case_page(case, who.timezone),
            InlineKeyboardMarkup(inline_keyboard=rows),
        ),
        *media_of_case(case, who.bot_id, chat_of(tap)),
    ]


@router.callback_query(CaseTap.filter(F.act == "answer"))
async def ask_answer(
    tap: CallbackQuery,
    callback_data: CaseTap,
    tx: Tx,
    who: Who,
    now: datetime,
    state: FSMContext,
) -> Page:
    case = await read_case(tx, callback_data.case_id, who, last=1)
    if case is None:
        return remark(tap, _("This question isn't yours to answer, or not any more."))
    if case.person_name is None:
        return remark(tap, _("They have left and can't be written to any more."))
    await state.set_state(Answering.writing)
    await state.set_data({"case_id": case.id, "since": now.isoformat()})
    # Under the question, which stays to be read while the answer is written.
    asked = _("Write your answer to {name}. What you write next goes straight to them.")
    return [
        *remark(tap),
        say(
            chat_of(tap),
            asked.format(name=case.person_name),
            InlineKeyboardMarkup(inline_keyboard=[[task_button("menu", _("Don't answer now"))]]),
        ),
    ]


@router.callback_query(CaseTap.filter(F.act == "close"))
async def tap_close(tap: CallbackQuery, callback_data: CaseTap, tx: Tx, who: Who) -> Page:
    if not await close_case(tx, case_id=callback_data.case_id, by=who):
        return remark(tap, _("This is closed already, or not yours to close."))
    return show(
        tap,
        _("Closed. If they write again, it opens as a new question."),
        InlineKeyboardMarkup(inline_keyboard=[[task_button("inbox", _("Inbox"))], menu_row()]),
    )
