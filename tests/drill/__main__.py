"""The fire drill: the real service under kills, cuts and floods, against what it promises.

Each scenario starts the service as processes of its own, on fresh databases, against the test Bot
API server, which logs what it accepts and when. A seed replays the same faults. The result is also
written to drill.json; the exit status is 0 only if every promise was held.
"""

import argparse
import asyncio
import contextlib
import importlib
import inspect
import json
import os
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from tests.drill.databases import ENGINES, Postgres, postgres_server
from tests.drill.ground import Plan
from tests.drill.promise import Promise, as_json, as_lines

SCENARIOS = (
    "kills",
    "faults",
    "refused",
    "floods",
    "clock",
    "locked",
    "restart",
    "backends",
    "network",
    "pool",
    "pair",
    "tickers",
    "yesterday",
    "talk",
    "pace",
)
RESULT = Path("drill.json")


def main() -> None:
    scenarios = {name: importlib.import_module(f"tests.drill.{name}") for name in SCENARIOS}
    listed = "\n".join(f"  {name:10} {it.__doc__}" for name, it in scenarios.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.drill",
        description=f"{__doc__}\nscenarios:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", nargs="*", help="those to run; all of them otherwise")
    parser.add_argument("--database", choices=ENGINES, help="only on this one")
    parser.add_argument("--seed", type=int, help="of an earlier run, to replay its faults")
    parser.add_argument("--kills", type=int, help="how often to kill; 300 by default, 5 if short")
    parser.add_argument("--short", action="store_true", help="the form that tests run")
    asked = parser.parse_args()
    if unknown := set(asked.scenario) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    # Asked to end, it takes its servers and processes away as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        held = runner.run(_drill(asked, scenarios))
    sys.exit(0 if held else 1)


async def _drill(asked: argparse.Namespace, scenarios: dict[str, Any]) -> bool:
    results: list[dict[str, Any]] = []
    engines = [asked.database] if asked.database else list(ENGINES)
    async with _server_for(engines) as server:
        for name in asked.scenario or SCENARIOS:
            for engine in engines:
                if engine not in scenarios[name].ON:
                    continue
                seed = asked.seed if asked.seed is not None else secrets.randbelow(2**32)
                plan = Plan(engine, seed, asked.short, asked.kills, server)
                results.append(await _run(name, scenarios[name], plan))
                _keep(results)
    broken = [it for it in results if not it["held"]]
    verdict = "All promises were held." if not broken else "BROKEN, run again with the seed:"
    _show(verdict, *(f"  {it['scenario']} on {it['database']}: {it['seed']}" for it in broken))
    return not broken


@contextlib.asynccontextmanager
async def _server_for(engines: list[str]) -> AsyncIterator[Postgres | None]:
    if "postgresql" not in engines:
        yield None
        return
    async with postgres_server() as server:
        yield server


async def _run(name: str, scenario: Any, plan: Plan) -> dict[str, Any]:
    _show(f"{name} on {plan.engine}, seed {plan.seed}", f"  {inspect.getdoc(scenario)}")
    began = time.monotonic()
    try:
        promises: list[Promise] = await scenario.run(plan)
    except Exception as problem:  # noqa: BLE001  # a scenario that cannot end has not held
        promises = [Promise("the scenario itself", "", f"{problem!r}"[:3000], held=False)]
    seconds = time.monotonic() - began
    _show(*as_lines(promises), f"  {seconds:.0f} s, load {os.getloadavg()[0]:.1f}", "")
    return {
        "scenario": name,
        "database": plan.engine,
        "seed": plan.seed,
        "seconds": round(seconds, 1),
        "load": os.getloadavg()[0],
        "held": all(it.held is not False for it in promises),
        "promises": as_json(promises),
    }


def _keep(results: list[dict[str, Any]]) -> None:
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "results": results,
    }
    RESULT.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _show(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201  # the table is what the drill is for


if __name__ == "__main__":
    main()
