"""The command ``kinroom``: one command a file, each prints what it did."""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import Abort, TyperException

# A command imports what it needs when it runs, so that --help and mistakes answer at once.
from bot.cli import (
    agenda,
    area,
    backup,
    broadcast,
    demo,
    doctor,
    migrate,
    officer,
    outbox,
    register,
    restore,
    rollcall,
    rule,
    run,
    topic,
    why,
    worker,
)

app = typer.Typer(
    name="kinroom",
    help="Kinroom: keeps people who work far from home and those at home in touch.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("migrate")(migrate.migrate)
app.add_typer(area.app, name="area")
app.add_typer(officer.app, name="officer")
app.add_typer(worker.app, name="worker")
app.add_typer(rollcall.app, name="rollcall")
app.add_typer(broadcast.app, name="broadcast")
app.command("register")(register.register)
app.command("outbox")(outbox.outbox)
app.add_typer(rule.app, name="rule")
app.add_typer(topic.app, name="topic")
app.command("agenda")(agenda.agenda)
# A ref may begin with a dash.
app.command("why", context_settings={"ignore_unknown_options": True})(why.why)
app.command("backup")(backup.backup)
app.command("restore")(restore.restore)
app.command("doctor")(doctor.doctor)
app.add_typer(demo.app, name="demo")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Every error is one line on stderr."""
    try:
        code = app(args=argv, prog_name="kinroom", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except TyperException as mistake:
        _complain(f"{_one_line(mistake.format_message())} (kinroom --help shows how)")
        return mistake.exit_code
    except (Abort, KeyboardInterrupt):
        _complain("stopped")
        return 130
    except BrokenPipeError:
        # The reader went away, as `| head` does; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as problem:  # noqa: BLE001  # the last line of defence of a command
        from bot.explain import explain

        _complain(explain(problem))
        return 1


def _one_line(message: str) -> str:
    return " ".join(message.replace("Value error, ", "").split()).removesuffix(".")


def _complain(line: str) -> None:
    print(f"kinroom: {line}", file=sys.stderr)
