"""The official JSON schema of AsyncAPI 3.0, out of the npm package that the specification's authors publish.

No Python package ships it.  The package is fetched once by npm into `.reglament/cache` and must have the digest below.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.support import ROOT

PACKAGE, VERSION = "@asyncapi/specs", "6.11.1"
INTEGRITY = "sha512-A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ=="
MEMBER = "package/schemas/3.0.0.json"
ARCHIVE = ROOT / ".reglament" / "cache" / f"asyncapi-specs-{VERSION}.tgz"
FETCH_SECONDS = 120


def asyncapi_schema() -> dict[str, Any]:
    """Return the schema; skip the test, or fail it on a build machine, where npm or its registry is out of reach."""
    if not ARCHIVE.exists():
        _fetch()
    assert integrity_of(ARCHIVE) == INTEGRITY, f"{ARCHIVE} is not the package that was pinned: delete it"
    with tarfile.open(ARCHIVE) as archive:
        member = archive.extractfile(MEMBER)
        assert member is not None, f"{ARCHIVE} has no {MEMBER}"
        schema: dict[str, Any] = json.load(member)
    return schema


def integrity_of(path: Path) -> str:
    """Return the digest of a file in the form of npm's lock files."""
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def _fetch() -> None:
    npm = shutil.which("npm")
    if npm is None:
        _give_up("npm is not installed here: apt-get install npm")
    ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ARCHIVE.parent) as directory:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", directory, "--silent"]
        try:
            subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=FETCH_SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            _give_up(f"npm cannot fetch it: {error}\n{error.stderr!s}")
        (Path(directory) / ARCHIVE.name).rename(ARCHIVE)


def _give_up(reason: str) -> NoReturn:
    reason = f"the schema of AsyncAPI comes from the npm package {PACKAGE}, and {reason}"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
