"""The outbox under fire: queues by broadcast, finished messages apart, a pace that is shared."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)


_NARROWED = (
    ("ix_delivery_checkin_id", ["checkin_id"], "checkin_id IS NOT NULL"),
    ("ix_delivery_case_id", ["case_id"], "case_id IS NOT NULL"),
    ("ix_delivery_message", ["account_id", "message_id"], "message_id IS NOT NULL"),
    ("ix_delivery_finished_at", ["finished_at"], "finished_at IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "delivery_past",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("finished_at", AT, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("template", sa.String(length=24), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("lane", sa.BigInteger(), nullable=True),
        sa.Column("checkin_id", sa.BigInteger(), nullable=True),
        sa.Column("broadcast_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("case_message_id", sa.BigInteger(), nullable=True),
        sa.Column("dedupe_key", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("created_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("id", "finished_at", name=op.f("pk_delivery_past")),
        postgresql_partition_by="RANGE (finished_at)",
    )
    with op.batch_alter_table("delivery_past", schema=None) as batch_op:
        batch_op.create_index(
            "ix_delivery_past_broadcast",
            ["broadcast_id"],
            unique=False,
            sqlite_where=sa.text("broadcast_id IS NOT NULL"),
            postgresql_where=sa.text("broadcast_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_past_case",
            ["case_id"],
            unique=False,
            sqlite_where=sa.text("case_id IS NOT NULL"),
            postgresql_where=sa.text("case_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_delivery_past_checkin",
            ["checkin_id"],
            unique=False,
            sqlite_where=sa.text("checkin_id IS NOT NULL"),
            postgresql_where=sa.text("checkin_id IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_delivery_past_dedupe_key"), ["dedupe_key"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_delivery_past_finished_at"), ["finished_at"], unique=False
        )
        batch_op.create_index(
            "ix_delivery_past_message",
            ["account_id", "message_id"],
            unique=False,
            sqlite_where=sa.text("message_id IS NOT NULL"),
            postgresql_where=sa.text("message_id IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_delivery_past_person_id_delivery_past_finished_at"),
            ["person_id", "finished_at"],
            unique=False,
        )

    op.create_table(
        "lane_pace",
        sa.Column("bot_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("free_at", AT, nullable=False),
        sa.Column("held_until", AT, nullable=True),
        sa.PrimaryKeyConstraint("bot_id", name=op.f("pk_lane_pace")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("held_until", AT, nullable=True))

    with op.batch_alter_table("broadcast", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("expanded_to", sa.BigInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("expanded_at", AT, nullable=True))
        batch_op.add_column(sa.Column("stopped_at", AT, nullable=True))
        batch_op.add_column(sa.Column("stopped_by", ID, nullable=True))
        batch_op.add_column(sa.Column("stop_reason", sa.String(length=80), nullable=True))
        batch_op.add_column(sa.Column("ended_at", AT, nullable=True))
        batch_op.create_index(
            "ix_broadcast_running",
            ["id"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_broadcast_stopped_by"), "person", ["stopped_by"], ["id"]
        )

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_due"), sqlite_where=sa.text("state = 'queued'"))
        batch_op.create_index(
            "ix_delivery_due",
            ["lane", "priority", "broadcast_id", "not_before", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'queued'"),
            postgresql_where=sa.text("state = 'queued'"),
        )
        for name, columns, where in _NARROWED:
            batch_op.drop_index(batch_op.f(name))
            condition = sa.text(where)
            batch_op.create_index(name, columns, sqlite_where=condition, postgresql_where=condition)
    op.execute("UPDATE broadcast SET expanded_at = at")
    if op.get_bind().dialect.name == "postgresql":
        # For what belongs to no month that has a partition: nothing, as long as clocks are right.
        op.execute("CREATE TABLE delivery_past_default PARTITION OF delivery_past DEFAULT")
        # It changes thrice for each message: to be swept by what has changed, not by a share of it.
        op.execute(
            "ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.02,"
            " autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0)"
        )
