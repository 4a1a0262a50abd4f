"""What kind of file it is, told by its first bytes and never by what the sender says."""

from typing import Final

_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"\x1aE\xdf\xa3", "audio/webm"),
    (b"ID3", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
)
PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SOUNDS: Final = frozenset({"audio/ogg", "audio/webm", "audio/mpeg", "audio/mp4", "audio/wav"})


def tell_mime(content: bytes) -> str:
    """The media type, ``application/octet-stream`` when it is none that is shown or played."""
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(
            content[8:12], "application/octet-stream"
        )
    if content[4:8] == b"ftyp":
        return "audio/mp4"
    return next(
        (mime for magic, mime in _MAGIC if content.startswith(magic)), "application/octet-stream"
    )


def measure(content: bytes) -> tuple[int, int]:
    """Width and height in pixels; zeros when they cannot be told."""
    if content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) >= 24:
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if content[:3] == b"GIF" and len(content) >= 10:
        return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")
    if content[:3] == b"\xff\xd8\xff":
        return _measure_jpeg(content)
    return 0, 0


def _measure_jpeg(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, size = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height = int.from_bytes(content[at + 5 : at + 7])
            return int.from_bytes(content[at + 7 : at + 9]), height
        at += 2 + size
    return 0, 0
