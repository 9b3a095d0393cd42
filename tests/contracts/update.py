"""Write golden files for events and fields that have none; files that are there are never changed.

python -m tests.contracts.update
"""

import json
import sys

from shared.contracts import EVENT_TYPES
from tests.contracts.golden import (
    DIRECTORY,
    breaking_changes,
    current_schema,
    example,
    revisions,
    unprotected_fields,
)


def missing(event_type: str) -> str | None:
    """Return the name of the golden file that the event lacks.  Raises ValueError when it changed in a breaking way."""
    known = revisions(event_type)
    schema = current_schema(event_type)
    for golden in known:
        if changes := breaking_changes(golden.schema, schema):
            raise ValueError(f"{event_type} may not change, publish a new version: {'; '.join(changes)}")
    if not known:
        return f"{event_type}.json"
    if unprotected_fields(known[-1].schema, schema):
        return f"{event_type}.r{len(known) + 1}.json"
    return None


def update() -> list[str]:
    """Add missing files and return their names."""
    added = [(event_type, name) for event_type in sorted(EVENT_TYPES) if (name := missing(event_type))]
    for event_type, name in added:
        content = {"type": event_type, "payload": example(event_type), "schema": current_schema(event_type)}
        with (DIRECTORY / name).open("x") as file:
            file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    return [name for _, name in added]


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name in update():
        sys.stdout.write(f"{name}\n")
