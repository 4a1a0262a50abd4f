"""Whom a router is for."""

from typing import Any

from storage.people.who import Who


async def not_known(_event: Any, who: Who | None = None) -> bool:
    return who is None


async def known(_event: Any, who: Who | None = None) -> bool:
    return who is not None


async def plain_worker(_event: Any, who: Who | None = None) -> bool:
    """Nothing else besides: nothing they say can mean a case, a draft, or word of another."""
    return who is not None and who.is_worker and not (who.is_officer or who.is_relative)


async def worker(_event: Any, who: Who | None = None) -> bool:
    return who is not None and who.is_worker
