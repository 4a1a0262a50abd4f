"""Methods that look something up, and leaving a chat."""

from __future__ import annotations

from .chat import PrivateChat
from .errors import Json, bad_request
from .files import MAX_DOWNLOAD
from .group import Group
from .request import Handler, Request, access_chat


def get_me(request: Request) -> Json:
    return request.bot.me()


def get_chat(request: Request) -> Json:
    chat = access_chat(request)
    if isinstance(chat, Group) and chat.type == "supergroup":
        chat.check_write(request.bot)
    return chat.full_json()


def get_chat_member(request: Request) -> Json:
    chat = access_chat(request)
    user_id = request.get("user_id")
    if isinstance(chat, PrivateChat):
        for person in (chat.user, chat.bot):
            if person.id == user_id:
                return {"status": "member", "user": person.json()}
        raise bad_request("user not found")
    assert isinstance(chat, Group)
    chat.check_write(request.bot)
    member = chat.people.get(user_id) or request.server.users.get(user_id)
    if member is None:
        raise bad_request("PARTICIPANT_ID_INVALID")
    return chat.member_json(member)


def leave_chat(request: Request) -> bool:
    chat = access_chat(request)
    if not isinstance(chat, Group):
        raise bad_request("chat member status can't be changed in private chats")
    chat.check_write(request.bot)
    chat.leave(request.bot)
    return True


def get_file(request: Request) -> Json:
    file = request.server.files.get(request.get("file_id"))
    if len(file.data) > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    return {**file.json(), "file_path": file.path}


METHODS: dict[str, Handler] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "leaveChat": leave_chat,
    "getFile": get_file,
}
