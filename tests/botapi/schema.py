"""The Bot API's own word on methods and parameters, reduced to what a check needs.

The data come from the schema file in aiogram's source distribution
(`.butcher/schema/schema.json`); no description text is kept. To make them anew:

    python -m tests.botapi.schema PATH_TO_SCHEMA_JSON
"""

from __future__ import annotations

import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("schema.json")

# Four keys: "version"; "methods" and "types", by name, each a mapping of parameter or field
# to its type, with "!" before what is required; "unions", by name, a list of subtypes, which
# is empty where any JSON value will do. `String=x` is the string x and no other.
Schema = dict[str, Any]

_SIMPLE = {"Integer", "String", "Boolean", "True", "Float", "InputFile"}


def alternatives(kind: str) -> list[str]:
    """`"Integer or String"` as `["Integer", "String"]`; lists stay whole."""
    if kind.startswith("Array of "):
        return [kind]
    return [part for part in re.split(r" or |, | and ", kind) if part]


def element(kind: str) -> str:
    """The element's type of `"Array of X"`; several kinds are joined with `or`."""
    inner = kind.removeprefix("Array of ")
    return inner if inner.startswith("Array of ") else " or ".join(alternatives(inner))


def reduce_schema(source: Schema) -> Schema:
    """Keep the methods and the types that their parameters can reach."""
    entries = [child for group in source["items"] for child in group["children"]]
    methods = {e["name"]: _fields(e) for e in entries if e["category"] == "methods"}
    known = {e["name"]: e for e in entries if e["category"] == "types"}
    types: dict[str, dict[str, str]] = {}
    unions: dict[str, list[str]] = {}
    waiting = [kind for fields in methods.values() for kind in fields.values()]
    while waiting:
        for name in _names(waiting.pop()):
            if name in types or name in unions or name not in known:
                continue
            found = known[name]
            subtypes = re.findall(r"^\s*- (\w+)$", found["description"], re.MULTILINE)
            # RichText may also be a string or a list, which the list of names does not show.
            if name == "RichText":
                unions[name] = []
            elif subtypes and not found["annotations"]:
                unions[name] = subtypes
                waiting += subtypes
            else:
                types[name] = _fields(found)
                waiting += types[name].values()
    version = source["api"]["version"]
    return {"version": version, "methods": methods, "types": types, "unions": unions}


def _fields(entry: dict[str, Any]) -> dict[str, str]:
    fields = {}
    for field in entry["annotations"]:
        kind = field["type"]
        # The word that tells the subtypes of a union apart: `String=emoji`.
        fixed = re.search(r"(?:always|must be) ['\"“]?(\w+)['\"”]?\.?$", field["description"])
        if fixed and field["name"] in {"type", "source"} and kind == "String":
            kind = f"String={fixed.group(1)}"
        fields[field["name"]] = "!" * bool(field["required"]) + kind
    return fields


def _names(kind: str) -> set[str]:
    words = re.findall(r"\w+", kind.removeprefix("!"))
    return set(words) - {"Array", "of", "or", "and"} - _SIMPLE


@cache
def load() -> Schema:
    """The committed data."""
    data: Schema = json.loads(DATA.read_text(encoding="utf-8"))
    return data


@cache
def method_names() -> dict[str, str]:
    """Lower-case name -> name: Telegram does not mind a method's case."""
    return {name.lower(): name for name in load()["methods"]}


def _write(schema: Schema) -> None:
    # One method or type a line, so that a new Bot API version reads well as a diff.
    parts = []
    for key, value in schema.items():
        if isinstance(value, dict):
            rows = [f"{json.dumps(k)}:{json.dumps(value[k])}" for k in sorted(value)]
            parts.append(f"{json.dumps(key)}:{{\n" + ",\n".join(rows) + "\n}")
        else:
            parts.append(f"{json.dumps(key)}:{json.dumps(value)}")
    DATA.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.botapi.schema PATH_TO_SCHEMA_JSON")
    _write(reduce_schema(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
    sys.stdout.write(f"{DATA.name}: {DATA.stat().st_size} bytes\n")
