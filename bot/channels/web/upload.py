"""POST /chat/upload: a voice note, photo or document of the person's."""

from typing import Any, Final

from aiogram.utils.i18n import gettext as _
from aiohttp import web

from bot.channels.web.bubbles import file_entry
from bot.channels.web.doors import Doors, clean, malformed, read_body
from bot.channels.web.pictures import PICTURES, SOUNDS, measure, tell_mime
from bot.channels.web.refusals import Refusal, check_origin
from storage.talk.conversation import is_known, new_file

MAX_UPLOAD: Final = 10 * 1024 * 1024
_COST: Final = 4
_KINDS: Final = {"photo", "voice", "document"}


async def upload(doors: Doors, request: web.Request) -> dict[str, Any]:
    """The body is the file; the query names ``client_id``, ``chat``, ``kind``, ``name``, and a
    voice note's ``seconds``. Raises :class:`Refusal`.

    Someone not yet known may not send files: nothing of theirs would be kept anyway.
    """
    channel, query = doors.channel, request.query
    check_origin(request, channel.public_url)
    kind, seconds = query.get("kind", ""), query.get("seconds", "0")
    if kind not in _KINDS or not (seconds.isdecimal() and len(seconds) < 6):
        raise malformed()
    client_id, tag = query.get("client_id", ""), query.get("chat", "")
    visitor = await doors.admit(request, client_id=client_id, tag=tag, cost=_COST)
    if visitor.standing is None:
        async with channel.db.read() as tx:
            known = await is_known(tx, channel.bot.id, visitor.chat_id)
        if not known:
            raise Refusal(
                403, lambda: _("Photos, files and voice can be sent once you have joined.")
            )
    content = await read_body(request, MAX_UPLOAD)
    if not content:
        raise malformed()
    mime = tell_mime(content)
    name = clean(query.get("name", "")).replace("/", "_").replace("\\", "_").strip()[-120:]
    if (kind == "photo" and mime not in PICTURES) or (kind == "voice" and mime not in SOUNDS):
        kind = "document"
    file = new_file(visitor.chat_id, name or kind, mime, content)
    width, height = measure(content) if kind == "photo" else (0, 0)
    entry = file_entry(file, width=width, height=height, duration=int(seconds))
    body = {"text": "", "kind": kind, "file": entry}
    async with doors.turn(request, visitor, tag) as visitor:
        return await doors.say(request, visitor, client_id, body, files=(file,))
