"""The clients' records, written line by line before and after each request; nothing in them comes from the system."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class History:
    """An append-only file of JSON lines; a line is in the file before the next action."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.acknowledged = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)
        self._begun = time.monotonic()

    def write(self, kind: str, **facts: Any) -> None:
        if kind == "acknowledged":
            self.acknowledged += 1
        line = {"at": round(time.monotonic() - self._begun, 4), "kind": kind, **facts}
        self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")

    def lines(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """Return the lines of the file, oldest first."""
        with self.path.open() as file:
            for text in file:
                line = json.loads(text)
                if line["kind"] in kinds:
                    yield line

    def close(self) -> None:
        self._file.close()
