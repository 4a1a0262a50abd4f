"""Whom a router is for."""

from typing import Any

from storage.people import Who


async def not_known(_event: Any, who: Who | None = None) -> bool:
    return who is None


async def known(_event: Any, who: Who | None = None) -> bool:
    return who is not None


async def worker(_event: Any, who: Who | None = None) -> bool:
    return who is not None and who.is_worker
