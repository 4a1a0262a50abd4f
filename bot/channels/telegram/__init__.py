"""Telegram: aiogram's own session, with a shorter way for what is sent all day."""

from bot.channels.telegram.channel import introduce, telegram_abilities, telegram_bot
from bot.channels.telegram.session import TelegramSession

__all__ = ["TelegramSession", "introduce", "telegram_abilities", "telegram_bot"]
