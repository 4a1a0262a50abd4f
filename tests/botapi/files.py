"""Files that were sent, and the ids under which bots ask for them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from .errors import Json, bad_request

MAX_DOWNLOAD = 20 * 1024 * 1024


@dataclass(frozen=True)
class File:
    """`path` is what the download route takes."""

    file_id: str
    unique_id: str
    path: str
    mime: str
    data: bytes = field(repr=False)

    def json(self) -> Json:
        """The part that all kinds of files share."""
        return {
            "file_id": self.file_id,
            "file_unique_id": self.unique_id,
            "file_size": len(self.data),
        }


class Files:
    """All files, by id and by path. Any bot may use any id, which Telegram does not allow."""

    def __init__(self) -> None:
        self._by_id: dict[str, File] = {}
        self._by_path: dict[str, File] = {}

    def add(self, data: bytes, folder: str, extension: str, mime: str) -> File:
        path = f"{folder}/file_{len(self._by_id)}.{extension}"
        file = File(secrets.token_urlsafe(53), secrets.token_urlsafe(11), path, mime, data)
        self._by_id[file.file_id] = self._by_path[path] = file
        return file

    def get(self, file_id: str) -> File:
        """Raises ApiError 400 for an unknown id."""
        if file_id not in self._by_id:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        return self._by_id[file_id]

    def find(self, path: str) -> File | None:
        return self._by_path.get(path)
