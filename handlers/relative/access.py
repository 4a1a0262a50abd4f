"""Whom the family's routers are for."""

from typing import Any

from storage.people.who import Who


async def relative(_event: Any, who: Who | None = None) -> bool:
    return who is not None and who.is_relative


async def only_family(_event: Any, who: Who | None = None) -> bool:
    """Someone who is, or was, a relative, and neither a worker nor an officer."""
    return is_only_family(who)


def is_only_family(who: Who | None) -> bool:
    return (
        who is not None
        and not who.is_worker
        and not who.is_officer
        and (who.is_relative or bool(who.name))
    )
