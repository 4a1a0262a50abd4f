"""A Bot API server for tests: strict where Telegram is strict, with the people's side to drive.

    server = BotApi()
    await server.start()
    bot = server.add_bot(token="123456:TEST", username="kinroom_bot")
    fang = server.add_user(first_name="Fang", language_code="zh-hans")
    chat = fang.open(bot)
    await chat.start("TOKEN")
    (greeting,) = await chat.heard()
    answer = await chat.tap(greeting, "OK")

The bot under test speaks to `server.url`. Methods without a behaviour here have their
parameters checked and are answered 501.
"""

from .callback import CallbackAnswer, Tap
from .conversation import Conversation, PrivateConversation
from .errors import ApiError
from .faults import Delay, Disconnect, Fault, Garble, Hold, Refuse, blocked, broken, flood, refused
from .group import Group
from .limits import Limits
from .message import Message
from .odds import Odds
from .server import BotApi
from .user import User

__all__ = [
    "ApiError",
    "BotApi",
    "CallbackAnswer",
    "Conversation",
    "Delay",
    "Disconnect",
    "Fault",
    "Garble",
    "Group",
    "Hold",
    "Limits",
    "Message",
    "Odds",
    "PrivateConversation",
    "Refuse",
    "Tap",
    "User",
    "blocked",
    "broken",
    "flood",
    "refused",
]
