"""Golden files: the form of every event when it was first published, kept for ever.

`golden/<type>.json` is the first, `golden/<type>.r2.json` and so on were added when optional fields came.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.contracts import EVENT_TYPES
from tests.contracts.examples import EXAMPLES

DIRECTORY = Path(__file__).parent / "golden"

Schema = dict[str, Any]

_WORDS_ONLY = {"title", "description", "default", "examples", "pattern"}
"""Keys that are not compared: a default shows in `required`, and number patterns are pydantic's."""


@dataclass(frozen=True)
class Golden:
    path: Path
    type: str
    schema: Schema
    payload: dict[str, Any]


def read_all() -> list[Golden]:
    """Return all golden files by type, oldest revision first."""
    found = []
    for path in DIRECTORY.glob("*.json"):
        content = json.loads(path.read_text())
        found.append(Golden(path, content["type"], content["schema"], content["payload"]))
    return sorted(found, key=lambda golden: (golden.type, len(golden.path.name), golden.path.name))


def revisions(event_type: str) -> list[Golden]:
    return [golden for golden in read_all() if golden.type == event_type]


def current_schema(event_type: str) -> Schema:
    """Return the JSON schema that a consumer validates with, references resolved, descriptions left out."""
    schema = EVENT_TYPES[event_type].model_json_schema(mode="validation")
    resolved: Schema = _resolve(schema, schema.get("$defs", {}))
    return resolved


def example(event_type: str) -> dict[str, Any]:
    """Return the story's example as it goes over the wire.  Raises KeyError when the story has none."""
    for event in EXAMPLES:
        if event.type == event_type:
            body: dict[str, Any] = event.model_dump(mode="json")
            return body
    raise KeyError(f"tests/contracts/examples has no example of {event_type}")


def breaking_changes(old: Schema, new: Schema, path: str = "") -> list[str]:
    """Return why messages or consumers of the old schema would not work with the new one.

    Only a new optional property is allowed.
    """
    if "properties" not in old or "properties" not in new:
        return _nested_changes(old, new, path)
    found = []
    for name, kind in old["properties"].items():
        if name not in new["properties"]:
            found.append(f"{path}{name} was removed or renamed")
        else:
            found += breaking_changes(kind, new["properties"][name], f"{path}{name}.")
    was, is_now = set(old.get("required", ())), set(new.get("required", ()))
    found += [f"{path}{name} became required" for name in sorted(is_now - was)]
    found += [f"{path}{name} became optional" for name in sorted(was - is_now) if name in new["properties"]]
    return found


def unprotected_fields(old: Schema, new: Schema, path: str = "") -> list[str]:
    """Return optional properties newer than the golden file, which could be removed unnoticed."""
    found = []
    for name, kind in new.get("properties", {}).items():
        if name not in old.get("properties", {}):
            found.append(f"{path}{name}")
        else:
            found += unprotected_fields(old["properties"][name], kind, f"{path}{name}.")
    for key in ("items", "additionalProperties"):
        if isinstance(old.get(key), dict) and isinstance(new.get(key), dict):
            found += unprotected_fields(old[key], new[key], path)
    for one, other in zip(old.get("anyOf", ()), new.get("anyOf", ()), strict=False):
        found += unprotected_fields(one, other, path)
    return found


def _nested_changes(old: Schema, new: Schema, path: str) -> list[str]:
    found = []
    for key in sorted(old.keys() | new.keys()):
        if (
            key in ("items", "additionalProperties")
            and isinstance(old.get(key), dict)
            and isinstance(new.get(key), dict)
        ):
            found += breaking_changes(old[key], new[key], path)
        elif key == "anyOf" and len(old.get(key, ())) == len(new.get(key, ())):
            for one, other in zip(old[key], new[key], strict=True):
                found += breaking_changes(one, other, path)
        elif old.get(key) != new.get(key):
            found.append(f"{path.rstrip('.')} was retyped: {key} was {old.get(key)}, is {new.get(key)}")
    return found


def _resolve(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolve(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolve(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {
        key: {name: _resolve(kind, definitions) for name, kind in value.items()}
        if key == "properties"
        else _resolve(value, definitions)
        for key, value in schema.items()
        if key not in _WORDS_ONLY and key != "$defs"
    }
