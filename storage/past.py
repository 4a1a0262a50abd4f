"""Deliveries that are over, and those of all times together."""

from typing import Final

from sqlalchemy import Subquery, select, union_all

from storage.models import Delivery, PastDelivery

_SHARED: Final = tuple(column.key for column in PastDelivery.__table__.columns)

EVERY_DELIVERY: Final[Subquery] = union_all(
    select(*(getattr(Delivery, name) for name in _SHARED)),
    select(*(getattr(PastDelivery, name) for name in _SHARED)),
).subquery("every_delivery")
"""Deliveries on their way and over, as one: ``EVERY_DELIVERY.c.state`` and the rest of what
:class:`storage.models.PastDelivery` has. Both databases look a condition on it up in the indexes
of both tables."""
