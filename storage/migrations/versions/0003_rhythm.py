"""Rules with terms and versions, the steps after silence, relatives, roll calls, reminders."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT = sa.DateTime(timezone=True)

_TASK_NEWS = "closed_at IS NULL AND (told_at IS NULL OR told_at < raised_at)"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def upgrade() -> None:
    op.create_table(
        "topic",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("asks", sa.String(length=40), nullable=True),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.Column("stopped_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("code", name=op.f("uq_topic_code")),
    )
    op.create_table(
        "rule",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("since", AT, nullable=False),
        sa.Column("stopped_at", AT, nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_rule_area_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule")),
    )
    with op.batch_alter_table("rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_area_id"), ["area_id"], unique=False)
        batch_op.create_index(
            "uq_rule_running",
            ["area_id", "code"],
            unique=True,
            sqlite_where=sa.text("stopped_at IS NULL"),
            postgresql_where=sa.text("stopped_at IS NULL"),
        )

    op.create_table(
        "kin",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("worker_id", ID, nullable=False),
        sa.Column("relative_id", ID, nullable=False),
        sa.Column("agreed_at", AT, nullable=False),
        sa.Column("accepted_at", AT, nullable=True),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("ended_by", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["relative_id"], ["person.id"], name=op.f("fk_kin_relative_id")),
        sa.ForeignKeyConstraint(["worker_id"], ["person.id"], name=op.f("fk_kin_worker_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kin")),
    )
    with op.batch_alter_table("kin", schema=None) as batch_op:
        batch_op.create_index(
            "ix_kin_ended",
            ["ended_at"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NOT NULL"),
            postgresql_where=sa.text("ended_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_kin_relative_id"), ["relative_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kin_worker_id"), ["worker_id"], unique=False)

    op.create_table(
        "rule_version",
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("version", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("by_person_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["by_person_id"], ["person.id"], name=op.f("fk_rule_version_by_person_id")
        ),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_rule_version_rule_id")),
        sa.PrimaryKeyConstraint("rule_id", "version", name=op.f("pk_rule_version")),
    )
    op.create_table(
        "subscription",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("topic_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("every_months", sa.SmallInteger(), nullable=True),
        sa.Column("done_for", sa.Date(), nullable=True),
        sa.Column("since", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("ended_as", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_subscription_person_id")
        ),
        sa.ForeignKeyConstraint(["topic_id"], ["topic.id"], name=op.f("fk_subscription_topic_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index(
            "ix_subscription_open",
            ["topic_id", "day"],
            unique=False,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(
            "uq_subscription_open",
            ["person_id", "topic_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_subscription_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_subscription_topic_id"), ["topic_id"], unique=False)

    op.create_table(
        "reminder",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("subscription_id", ID, nullable=False),
        sa.Column("slot", sa.String(length=24), nullable=False),
        sa.Column("about", sa.Date(), nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("delivered_at", AT, nullable=True),
        sa.Column("answered_at", AT, nullable=True),
        sa.Column("answer", sa.String(length=8), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_reminder_person_id")),
        sa.ForeignKeyConstraint(["rule_id"], ["rule.id"], name=op.f("fk_reminder_rule_id")),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_reminder_subscription_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint(
            "rule_id", "person_id", "slot", name=op.f("uq_reminder_rule_id_person_id_slot")
        ),
    )
    with op.batch_alter_table("reminder", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reminder_rule_id_reminder_due_at"), ["rule_id", "due_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_reminder_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_reminder_subscription_id"), ["subscription_id"], unique=False
        )

    op.create_table(
        "kin_question",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kin_id", ID, nullable=False),
        sa.Column("checkin_id", ID, nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("answer_until", AT, nullable=False),
        sa.Column("answered_at", AT, nullable=True),
        sa.Column("answer", sa.String(length=4), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkin_id"], ["checkin.id"], name=op.f("fk_kin_question_checkin_id")
        ),
        sa.ForeignKeyConstraint(["kin_id"], ["kin.id"], name=op.f("fk_kin_question_kin_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kin_question")),
        sa.UniqueConstraint("kin_id", "checkin_id", name=op.f("uq_kin_question_kin_id_checkin_id")),
    )
    with op.batch_alter_table("kin_question", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_kin_question_checkin_id"), ["checkin_id"], unique=False
        )
        batch_op.create_index(
            "ix_kin_question_open",
            ["answer_until"],
            unique=False,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        )

    op.create_table(
        "step",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("checkin_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.Column("at", AT, nullable=False),
        sa.ForeignKeyConstraint(["checkin_id"], ["checkin.id"], name=op.f("fk_step_checkin_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_step_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("checkin_id", "n", name=op.f("uq_step_checkin_id_n")),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_person_id"), ["person_id"], unique=False)

    op.create_table(
        "task",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("area_id", ID, nullable=False),
        sa.Column("checkin_id", ID, nullable=True),
        sa.Column("why", sa.String(length=12), nullable=False),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("raise_at", AT, nullable=True),
        sa.Column("raised_at", AT, nullable=True),
        sa.Column("told_at", AT, nullable=True),
        sa.Column("closed_at", AT, nullable=True),
        sa.Column("closed_as", sa.String(length=10), nullable=True),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_task_area_id")),
        sa.ForeignKeyConstraint(["checkin_id"], ["checkin.id"], name=op.f("fk_task_checkin_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_task_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_area_id"), ["area_id"], unique=False)
        batch_op.create_index(
            "ix_task_news",
            ["id"],
            unique=False,
            sqlite_where=sa.text(_TASK_NEWS),
            postgresql_where=sa.text(_TASK_NEWS),
        )
        batch_op.create_index(
            "ix_task_raise",
            ["raise_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index(
            "uq_task_open",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )

    _copy_rules()
    with op.batch_alter_table("area", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weekly_budget", sa.SmallInteger(), nullable=True))
        batch_op.create_index(
            "ix_area_budget",
            ["path"],
            unique=False,
            sqlite_where=sa.text("weekly_budget IS NOT NULL"),
            postgresql_where=sa.text("weekly_budget IS NOT NULL"),
        )

    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("next_at", AT, nullable=True))
        batch_op.add_column(
            sa.Column("stage", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch_op.create_index(
            "ix_checkin_next",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.drop_constraint(batch_op.f("fk_checkin_rule_id"), type_="foreignkey")
        batch_op.create_foreign_key(batch_op.f("fk_checkin_rule_id"), "rule", ["rule_id"], ["id"])
        batch_op.drop_constraint(batch_op.f("uq_checkin_rule_id_person_id_slot"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_checkin_rule_id_slot_person_id"), ["rule_id", "slot", "person_id"]
        )

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reminder_id", ID, nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_delivery_reminder_id"), "reminder", ["reminder_id"], ["id"]
        )
        batch_op.create_index(
            "ix_delivery_reminder_id",
            ["reminder_id"],
            unique=False,
            sqlite_where=sa.text("reminder_id IS NOT NULL"),
            postgresql_where=sa.text("reminder_id IS NOT NULL"),
        )

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ask_minute", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("usual_minute", sa.SmallInteger(), nullable=True))
        batch_op.add_column(sa.Column("prefers", sa.String(length=10), nullable=True))
        batch_op.add_column(
            sa.Column("monthly", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.drop_index(batch_op.f("ix_person_area_id"))
        batch_op.create_index(
            batch_op.f("ix_person_area_id_person_timezone_person_id"),
            ["area_id", "timezone", "id"],
            unique=False,
        )

    with op.batch_alter_table("rollcall", schema=None) as batch_op:
        batch_op.add_column(sa.Column("country", sa.String(length=2), nullable=True))
        batch_op.add_column(sa.Column("province", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("city", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("next_at", AT, nullable=True))
        batch_op.add_column(
            sa.Column("asked", sa.SmallInteger(), server_default="1", nullable=False)
        )
        batch_op.add_column(
            sa.Column("urgent", sa.Boolean(), server_default=sa.text("true"), nullable=False)
        )
        batch_op.add_column(
            sa.Column("every", sa.SmallInteger(), server_default="30", nullable=False)
        )
        batch_op.add_column(
            sa.Column("most", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("written_to", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("ended_at", AT, nullable=True))
        batch_op.add_column(sa.Column("figures", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", AT, nullable=True))
        batch_op.add_column(sa.Column("closed_by", ID, nullable=True))
        batch_op.create_index(
            "ix_rollcall_open",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_rollcall_closed_by"), "person", ["closed_by"], ["id"]
        )

    op.create_table(
        "rollcall_view",
        sa.Column("rollcall_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("bot_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.String(length=120), nullable=False),
        sa.Column("next_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_rollcall_view_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["rollcall_id"], ["rollcall.id"], name=op.f("fk_rollcall_view_rollcall_id")
        ),
        sa.PrimaryKeyConstraint("rollcall_id", "person_id", name=op.f("pk_rollcall_view")),
    )
    with op.batch_alter_table("rollcall_view", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rollcall_view_next_at"), ["next_at"], unique=False)

    with op.batch_alter_table("rule_clock", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_rule_clock_rule_id"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_rule_clock_rule_id"), "rule", ["rule_id"], ["id"]
        )
        batch_op.add_column(sa.Column("planned_slot", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("planned_version", sa.SmallInteger(), nullable=True))
        batch_op.add_column(
            sa.Column("planned_area", sa.BigInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(
            sa.Column("planned_person", sa.BigInteger(), server_default="0", nullable=False)
        )
    op.drop_table("checkin_rule")


def _copy_rules() -> None:
    """The weekly rules of before, in the words of now; with what follows silence now."""
    conn = op.get_bind()
    rows = conn.execute(
        sa.text(
            "SELECT id, area_id, every, weekday, hour, window_hours, since, stopped_at"
            " FROM checkin_rule ORDER BY id"
        ).columns(since=AT, stopped_at=AT)
    ).all()
    rules, versions = [], []
    seen: dict[int, int] = {}
    for row in rows:
        terms = {
            "version": 1,
            "code": _code(row.area_id, seen),
            "kind": "checkin",
            "every": f"{row.every} week" + ("s" if row.every > 1 else ""),
            "on": [_WEEKDAYS[row.weekday]],
            "at": f"{min(max(row.hour, 8), 20):02}:00",
            "between": ["08:00", "21:00"],
            "window": f"{row.window_hours}h",
            "nudges": [f"{n}h" for n in (24, 48) if n < row.window_hours],
            "then": "relative-first",
            "supervisor": "72h",
        }
        text = json.dumps(terms, sort_keys=True)
        rules.append(
            {
                "id": row.id,
                "area_id": row.area_id,
                "code": terms["code"],
                "kind": "checkin",
                "terms": text,
                "version": 1,
                "since": row.since,
                "stopped_at": row.stopped_at,
            }
        )
        versions.append({"rule_id": row.id, "version": 1, "terms": text, "at": row.since})
    if not rules:
        return
    op.bulk_insert(_table("rule", rules[0]), rules)
    op.bulk_insert(_table("rule_version", versions[0]), versions)
    if conn.dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('rule', 'id'), max(id)) FROM rule")


def _table(name: str, row: dict[str, object]) -> sa.TableClause:
    times = {"since", "stopped_at", "at"}
    return sa.table(name, *(sa.column(key, AT if key in times else None) for key in row))


def _code(area_id: int, seen: dict[int, int]) -> str:
    """``weekly``; an area's second rule is ``weekly-2``, that none takes the place of another."""
    seen[area_id] = seen.get(area_id, 0) + 1
    return "weekly" if seen[area_id] == 1 else f"weekly-{seen[area_id]}"
