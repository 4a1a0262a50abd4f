"""What a demo's chat shows when it is opened for the first time: the menu, and soon a check-in."""

from datetime import datetime

from aiogram import Bot
from aiogram.utils.i18n import I18n

from bot.demo.checkin import plan_demo_checkin
from handlers.worker.menu import main_menu
from storage.database import Database
from storage.people.who import load_who
from storage.talk.conversation import find_chat


async def welcome_to_demo(db: Database, i18n: I18n, bot: Bot, chat_id: int, now: datetime) -> bool:
    """Greet whoever opened the demo person's chat; whether a check-in was planned for them.

    Nothing for people who are not of the demo.
    """
    async with db.write() as tx:
        who = await load_who(tx, bot.id, chat_id)
        if who is None or not who.is_demo:
            return False
        planned = await plan_demo_checkin(tx, who.person_id, now)
        chat = await find_chat(tx, chat_id)
    if chat is None or chat.last_message_id == 0:
        with i18n.context(), i18n.use_locale(who.language):
            text, keyboard = main_menu(who)
        await bot.send_message(chat_id, text, reply_markup=keyboard)
    return planned
