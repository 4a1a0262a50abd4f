"""Messages for many people at once: selected and written by one statement."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, literal

from storage.database import Tx
from storage.models import Delivery
from storage.outbox.messages import lane_of


def message_columns(
    person_id: SQLColumnExpression[Any],
    *,
    template: str,
    priority: int,
    urgent: bool,
    dedupe_key: SQLColumnExpression[str],
    not_before: datetime | SQLColumnExpression[datetime],
    expires_at: datetime | SQLColumnExpression[datetime],
    now: datetime,
    params: dict[str, Any] | None = None,
    **about: int | SQLColumnExpression[Any],
) -> tuple[SQLColumnExpression[Any], ...]:
    """What a statement selects for :func:`enqueue_selected`: one queued message a row.

    ``about`` is what the message points at: ``checkin_id``, ``broadcast_id``, ``reminder_id``.
    """
    values: dict[str, Any] = {
        "person_id": person_id,
        "template": template,
        "priority": priority,
        "urgent": urgent,
        "lane": lane_of(person_id),
        **about,
        "dedupe_key": dedupe_key,
        "not_before": not_before,
        "expires_at": expires_at,
        "state": "queued",
        "attempts": 0,
        "created_at": now,
    }
    if params is not None:
        values["params"] = params
    columns = Delivery.__table__.c
    return tuple(
        (
            value if isinstance(value, SQLColumnExpression) else literal(value, columns[name].type)
        ).label(name)
        for name, value in values.items()
    )


async def enqueue_selected(tx: Tx, messages: Select[Any]) -> int:
    """Write what is selected as :func:`message_columns`, but none twice; how many."""
    written = await tx.execute(
        tx.insert(Delivery)
        .from_select(messages.selected_columns.keys(), messages)
        .on_conflict_do_nothing(index_elements=[Delivery.dedupe_key])
    )
    return written.rowcount
