"""Methods that put a message into a chat."""

from __future__ import annotations

from typing import Any

from .errors import ApiError, Json, bad_request
from .files import File
from .keyboard import check_markup
from .message import Message
from .params import MAX_UPLOAD, Upload
from .request import Handler, Request, access_chat, access_message, not_supported, read_text
from .text import MAX_CAPTION, MAX_TEXT

MAX_PHOTO = 10 * 1024 * 1024
_UNSUPPORTED = (
    "business_connection_id", "message_thread_id", "direct_messages_topic_id",
    "ephemeral_message_parameters", "message_effect_id", "suggested_post_parameters",
    "video_start_timestamp", "heading", "proximity_alert_radius",
)  # fmt: skip
_IMAGES = {b"\xff\xd8\xff": "jpg", b"\x89PNG": "png", b"RIFF": "webp", b"GIF8": "gif", b"BM": "bmp"}
_ACTIONS = {
    "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice",
    "upload_document", "choose_sticker", "find_location", "record_video_note",
    "upload_video_note",
}  # fmt: skip
_NOT_COPIED = {
    "message_id", "from", "chat", "date", "edit_date", "reply_to_message", "reply_markup",
    "forward_origin", "has_protected_content", "quote",
}  # fmt: skip
_KINDS = {"text", "photo", "document", "voice", "sticker", "location", "contact"}


def send_message(request: Request) -> Json:
    content = read_text(request, "text", MAX_TEXT)
    if not content:
        raise bad_request("text must be non-empty")
    if options := request.get("link_preview_options"):
        content["link_preview_options"] = options
    return _post(request, content).json()


def send_photo(request: Request) -> Json:
    upload = request.get("photo")
    if isinstance(upload, Upload):
        kind = next((k for magic, k in _IMAGES.items() if upload.data.startswith(magic)), None)
        if kind is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        if len(upload.data) > MAX_PHOTO:
            raise bad_request("file is too big for a photo")
    file = _file(request, "photo", "photos", "jpg")
    size = {**file.json(), **_size(file.data)}
    return _post(request, {"photo": [size], **_caption(request)}).json()


def send_document(request: Request) -> Json:
    request.check_supported("thumbnail")
    upload = request.get("document")
    name = upload.name if isinstance(upload, Upload) else "file"
    file = _file(request, "document", "documents", name.rpartition(".")[2] or "bin")
    document = {**file.json(), "file_name": name, "mime_type": file.mime}
    return _post(request, {"document": document, **_caption(request)}).json()


def send_voice(request: Request) -> Json:
    file = _file(request, "voice", "voice", "oga")
    voice = {**file.json(), "duration": request.get("duration", 0), "mime_type": "audio/ogg"}
    return _post(request, {"voice": voice, **_caption(request)}).json()


def send_location(request: Request) -> Json:
    latitude, longitude = request.get("latitude"), request.get("longitude")
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise bad_request("wrong location specified")
    location = {"latitude": latitude, "longitude": longitude}
    for name in ("horizontal_accuracy", "live_period"):
        if request.get(name):
            location[name] = request.get(name)
    return _post(request, {"location": location}).json()


def send_chat_action(request: Request) -> bool:
    request.check_supported("business_connection_id", "message_thread_id")
    if request.get("action") not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat = access_chat(request)
    chat.check_write(request.bot)
    chat.actions.append(request.get("action"))
    chat.changes.notify()
    return True


def copy_message(request: Request) -> Json:
    source = access_message(request, "to copy", access_chat(request, "from_chat_id"))
    content = _content(source, "copied")
    if "caption" in request.params and "text" not in content:
        content = {key: content[key] for key in content if not key.startswith("caption")}
        content.update(_caption(request))
    return {"message_id": _post(request, content).message_id}


def forward_message(request: Request) -> Json:
    source = access_message(request, "to forward", access_chat(request, "from_chat_id"))
    origin = source.raw.get("forward_origin") or {
        "type": "user",
        "sender_user": source.sender.json(),
        "date": source.raw["date"],
    }
    return _post(request, {**_content(source, "forwarded"), "forward_origin": origin}).json()


def _content(source: Message, done: str) -> Json:
    if not _KINDS & source.raw.keys():
        raise bad_request(f"message can't be {done}")
    if source.raw.get("has_protected_content"):
        raise bad_request(f"message can't be {done}")
    return {key: value for key, value in source.json().items() if key not in _NOT_COPIED}


def _caption(request: Request) -> Json:
    caption = read_text(request, "caption", MAX_CAPTION)
    for name in ("show_caption_above_media", "has_spoiler"):
        if request.get(name):
            caption["has_media_spoiler" if name == "has_spoiler" else name] = True
    return caption


def _file(request: Request, name: str, folder: str, extension: str) -> File:
    value: Any = request.get(name)
    files = request.server.files
    if isinstance(value, Upload):
        if not value.data:
            raise bad_request("file must be non-empty")
        if len(value.data) > MAX_UPLOAD:
            raise ApiError(413, "Request Entity Too Large")
        return files.add(value.data, folder, extension, value.mime)
    if value.startswith(("http://", "https://")):
        raise not_supported("files by URL")
    return files.get(value)


def _size(data: bytes) -> Json:
    """Pixels of a PNG; other pictures are taken to be 800 by 600."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
        if width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        return {"width": width, "height": height}
    return {"width": 800, "height": 600}


def _post(request: Request, content: Json) -> Message:
    request.check_supported(*_UNSUPPORTED)
    markup = request.get("reply_markup")
    check_markup(markup)
    chat = access_chat(request)
    reply = request.get("reply_parameters") or {}
    for name in set(reply) - {"message_id", "chat_id", "allow_sending_without_reply"}:
        raise not_supported(f'field "{name}" of reply_parameters')
    if reply.get("chat_id") not in {None, chat.id}:
        raise not_supported("replies to another chat")
    chat.check_write(request.bot)
    if reply:
        answered = chat.find(reply.get("message_id"))
        if answered is not None:
            content["reply_to_message"] = answered.quoted()
        elif not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
    if request.get("protect_content"):
        content["has_protected_content"] = True
    return chat.post(request.bot, content, markup)


METHODS: dict[str, Handler] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendVoice": send_voice,
    "sendLocation": send_location,
    "sendChatAction": send_chat_action,
    "copyMessage": copy_message,
    "forwardMessage": forward_message,
}
