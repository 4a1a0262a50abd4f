"""A request's parameters: read from any of Telegram's encodings, checked against the schema.

Stricter than Telegram, on purpose: an unknown parameter or field is refused, and so is a
value of the wrong type that Telegram would have read as 0 or left out.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.base_protocol import BaseProtocol

from . import schema
from .errors import ApiError, Json, bad_request
from .text import check_utf8

MAX_UPLOAD = 50 * 1024 * 1024


@dataclass(frozen=True)
class Upload:
    """A file in a multipart request."""

    name: str
    mime: str
    data: bytes = field(repr=False)


_SMALL = 1 << 16  # bytes
_TEXT_FIELD = re.compile(
    rb"\r\n(?:Content-Type: text/plain; charset=utf-8\r\n)?"
    rb'Content-Disposition: form-data; name="([a-z_]+)"\r\n'
    rb"(?:Content-Length: \d+\r\n)?\r\n(.*)\r\n",
    re.DOTALL,
)

_CLASSES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "InputFile": (str, Upload),
    "Boolean": (bool,),
    "True": (bool,),
}
_MISSING = {
    "chat_id": "chat_id is empty",
    "from_chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "user_id": "invalid user_id specified",
    "action": "wrong parameter action in request",
    "file_id": "file_id not specified",
    "latitude": "latitude is empty",
    "longitude": "longitude is empty",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "voice": "there is no voice in the request",
}


async def read_request(request: web.Request) -> Json:
    """Parameters of a request: query string, then body (multipart, urlencoded or JSON)."""
    params: Json = dict(request.query)
    # Read here: aiohttp's own reading of this header costs more than the rest of a call.
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        size = request.content_length
        if size is not None and size <= _SMALL:
            params.update(await _read_small(request))
        else:
            params.update(await read_parts(await request.multipart()))
    elif kind == "application/json":
        params.update(read_json(await request.text()))
    elif kind == "application/x-www-form-urlencoded":
        body = (await request.read()).decode(errors="surrogateescape")
        params.update(parse_qsl(body.rstrip(), keep_blank_values=True))
    elif request.can_read_body:
        params.update(await request.post())
    return params


async def _read_small(request: web.Request) -> Json:
    """A small form: split at once where it holds nothing but text, else read as any other."""
    body = await request.read()
    boundary = re.search(r'boundary="?([^";\s]+)', request.headers["Content-Type"])
    if boundary is not None:
        pieces = body.split(b"--" + boundary.group(1).encode())
        fields = [_TEXT_FIELD.fullmatch(piece) for piece in pieces[1:-1]]
        if pieces[0] == b"" and pieces[-1] == b"--\r\n" and all(fields):
            try:
                return {f[1].decode(): f[2].decode() for f in fields if f is not None}
            except UnicodeDecodeError:
                raise bad_request("strings must be encoded in UTF-8") from None
    stream = StreamReader(_NoFlow(), _SMALL)
    stream.feed_data(body)
    stream.feed_eof()
    return await read_parts(MultipartReader(request.headers, stream))


class _NoFlow(BaseProtocol):
    """The body is here already: there is nobody to hold up."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())


def read_json(text: str) -> Json:
    """A JSON body's object; an empty body has no parameters."""
    try:
        body = json.loads(text or "{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("can't parse JSON object")
    return {name: value for name, value in body.items() if value is not None}


async def read_parts(reader: AsyncIterable[Any]) -> Json:
    """Multipart fields: text as str, files as `Upload`."""
    params: Json = {}
    size = 0
    async for part in _parts(reader):
        data = bytes(await part.read(decode=True))
        size += len(data)
        if size > MAX_UPLOAD + 100_000:
            # Read on to the end: a client that still writes would not see the answer.
            continue
        if part.filename is None:
            try:
                params[part.name or ""] = data.decode()
            except UnicodeDecodeError:
                raise bad_request("strings must be encoded in UTF-8") from None
        else:
            mime = part.headers.get("Content-Type", "application/octet-stream")
            params[part.name or ""] = Upload(part.filename, mime, data)
    if size > MAX_UPLOAD + 100_000:
        raise ApiError(413, "Request Entity Too Large")
    return params


async def _parts(reader: AsyncIterable[Any]) -> AsyncIterator[BodyPartReader]:
    async for part in reader:
        if isinstance(part, BodyPartReader):
            yield part


def check_params(method: str, given: Json) -> Json:
    """Typed parameters of `method`, or ApiError 400.

    Files end up in the parameter that names them (`attach://…`), or directly there.
    """
    expected: dict[str, str] = schema.load()["methods"][method]
    uploads = {name: value for name, value in given.items() if isinstance(value, Upload)}
    checked: Json = {}
    attached: set[str] = set()
    for name, value in given.items():
        if name not in expected:
            continue
        kind = expected[name].removeprefix("!")
        parsed = _from_form(name, kind, value) if isinstance(value, str) else value
        checked[name] = _attach(_check(kind, parsed, name), uploads, attached)
    for name in given:
        if name not in expected and name not in attached:
            raise bad_request(f'unknown parameter "{name}" of {method}')
    for name, kind in expected.items():
        if kind.startswith("!") and checked.get(name) in (None, ""):
            text = _MISSING.get(name, f'parameter "{name}" is required')
            # setWebhook with an empty url removes the webhook.
            if (method, name) != ("setWebhook", "url") or name not in checked:
                raise bad_request(text)
    return checked


def _from_form(name: str, kind: str, value: str) -> Any:
    check_utf8(value)
    kinds = schema.alternatives(kind)
    if "String" in kinds and kind != "Integer or String":
        return value
    if "Integer" in kinds and re.fullmatch(r"[+-]?\d{1,19}", value):
        return int(value)
    if kind == "Integer or String":
        return value
    if kind in {"Boolean", "True"}:
        truth = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        return truth.get(value.lower(), value)
    if kind == "Float":
        try:
            return float(value)
        except ValueError:
            return value
    if kind in {"Integer", "InputFile"}:
        return value
    try:
        return json.loads(value)
    except ValueError:
        label = "reply keyboard markup" if name == "reply_markup" else name.replace("_", " ")
        raise bad_request(f"can't parse {label} JSON object") from None


class _Mismatch(Exception):
    """`depth`: how far inside the value the checked kind stopped to fit."""

    def __init__(self, text: str, where: str) -> None:
        super().__init__(text)
        self.depth = where.count(".")


def _check(kind: str, value: Any, where: str) -> Any:
    try:
        return _check_kinds(schema.alternatives(kind), value, where)
    except _Mismatch as mismatch:
        raise bad_request(str(mismatch)) from None


def _check_kinds(kinds: list[str], value: Any, where: str) -> Any:
    mismatches = []
    for kind in kinds:
        try:
            return _check_kind(kind, value, where)
        except _Mismatch as mismatch:
            mismatches.append(mismatch)
    # The complaint that helps is that of the kind which came closest.
    raise max(mismatches, key=lambda mismatch: mismatch.depth)


def _check_kind(kind: str, value: Any, where: str) -> Any:
    data = schema.load()
    if kind.startswith("Array of "):
        if not isinstance(value, list):
            raise _Mismatch(f'parameter "{where}" must be an Array', where)
        kinds = schema.alternatives(schema.element(kind))
        return [_check_kinds(kinds, item, where) for item in value]
    if kind in data["unions"]:
        return _check_union(data["unions"][kind], value, where)
    if kind in data["types"]:
        return _check_object(kind, value, where)
    if kind == "Float" and isinstance(value, int | float) and not isinstance(value, bool):
        if math.isfinite(value):
            return float(value)
    elif kind == "Integer" and isinstance(value, int) and not isinstance(value, bool):
        if -(2**63) <= value < 2**63:
            return value
    elif (
        isinstance(value, _CLASSES.get(kind, ())) and (kind != "True" or value)
    ) or kind == f"String={value}":
        return value
    raise _Mismatch(f'parameter "{where}" must be of type {kind}', where)


def _check_union(subtypes: list[str], value: Any, where: str) -> Any:
    if not subtypes:
        return value
    if not isinstance(value, dict):
        raise _Mismatch(f"object expected as {where.replace('_', ' ')}", where)
    types = schema.load()["types"]
    fitting = []
    for subtype in subtypes:
        word = types[subtype].get("type", types[subtype].get("source", "!String"))
        if "=" not in word or word.endswith(f"={value.get('type', value.get('source'))}"):
            fitting.append(subtype)
    if not fitting:
        raise _Mismatch(f"{where.replace('_', ' ')} has unsupported type", where)
    return _check_kinds(fitting, value, where)


def _check_object(kind: str, value: Any, where: str) -> Json:
    if not isinstance(value, dict):
        raise _Mismatch(f"object expected as {where.replace('_', ' ')}", where)
    fields: dict[str, str] = schema.load()["types"][kind]
    checked: Json = {}
    for name, item in value.items():
        if name not in fields:
            raise _Mismatch(f'unknown field "{name}" of {kind} in {where}', where)
        if isinstance(item, str):
            check_utf8(item)
        kinds = schema.alternatives(fields[name].removeprefix("!"))
        checked[name] = _check_kinds(kinds, item, f"{where}.{name}")
    for name, field_kind in fields.items():
        if field_kind.startswith("!") and name not in checked:
            raise _Mismatch(f'can\'t find field "{name}" of {kind} in {where}', f"{where}.")
    return checked


def _attach(value: Any, uploads: dict[str, Upload], attached: set[str]) -> Any:
    if isinstance(value, str) and value.startswith("attach://"):
        name = value.removeprefix("attach://")
        if name not in uploads:
            raise bad_request(f'file "{name}" is not in the request')
        attached.add(name)
        return uploads[name]
    if isinstance(value, list):
        return [_attach(item, uploads, attached) for item in value]
    if isinstance(value, dict):
        return {key: _attach(item, uploads, attached) for key, item in value.items()}
    return value
