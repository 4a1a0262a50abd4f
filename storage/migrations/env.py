"""What Alembic runs: the connection and its transaction are the caller's."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage.models import Base, BigId, UtcDateTime


def _render_item(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    # The names stand in script.py.mako: a migration must not change when the models do.
    if kind == "type" and isinstance(item, UtcDateTime):
        return "AT"
    if kind == "type" and item is BigId:
        return "ID"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_item=_render_item,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
