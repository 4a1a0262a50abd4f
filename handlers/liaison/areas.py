"""Choosing an area, for an officer who looks after several."""

from aiogram import Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.i18n import gettext as _

from handlers.liaison.callbacks import AreaPageTap, AreaTap
from handlers.liaison.keyboards import Rows, button, menu_row
from handlers.liaison.show import Page, show
from storage.database import Tx
from storage.people.areas import AreaInfo
from storage.people.duties import areas_to_choose
from storage.people.who import Who

router = Router(name="liaison.areas")
A_PAGE = 8


async def only_area(tx: Tx, who: Who) -> AreaInfo | None:
    """The area, when there is nothing to choose."""
    areas = await areas_to_choose(tx, who.person_id, limit=2)
    return areas[0] if len(areas) == 1 else None


async def choose_area(
    event: Message | CallbackQuery, tx: Tx, who: Who, task: str, offset: int = 0
) -> Page:
    """A page of the areas ``who`` looks after, larger ones before their parts."""
    areas = await areas_to_choose(tx, who.person_id, limit=A_PAGE + 1, offset=offset)
    rows: Rows = [
        [button(area.name, AreaTap(task=task, area_id=area.id))] for area in areas[:A_PAGE]
    ]
    turn = []
    if offset > 0:
        turn.append(button(_("Previous"), AreaPageTap(task=task, offset=max(0, offset - A_PAGE))))
    if len(areas) > A_PAGE:
        turn.append(button(_("More"), AreaPageTap(task=task, offset=offset + A_PAGE)))
    if turn:
        rows.append(turn)
    rows.append(menu_row())
    text = {
        "invite": _("For which village?"),
        "rollcall": _("From which area are those you want to ask?"),
    }.get(task, _("For whom?"))
    return show(event, text, InlineKeyboardMarkup(inline_keyboard=rows))


@router.callback_query(AreaPageTap.filter())
async def turn_page(tap: CallbackQuery, callback_data: AreaPageTap, tx: Tx, who: Who) -> Page:
    return await choose_area(tap, tx, who, callback_data.task, callback_data.offset)
