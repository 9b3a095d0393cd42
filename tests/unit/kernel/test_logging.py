"""Logs: one line of JSON each, our own and the libraries', with the ids that tie them to a request."""

import json
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

PROGRAM = """
import logging
import sys
import structlog
from shared.runtime import logging as ours
from shared.messaging import context

log = structlog.get_logger("test")
ours.configure(sys.argv[1], "INFO")
context.accept("order-45", "")
log.debug("not said")
log.info("Заказ", number=45)
logging.getLogger("library").warning("of %s", "theirs")
logging.getLogger("httpx").info("not said")
password = "верный-" + "конь"
try:
    raise ValueError("дело в этом")
except ValueError:
    log.exception("failed")
"""
FULL_DISK = "/dev/full"


def log_output(format_: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, format_]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_every_line_is_json_with_level_time_and_the_request_it_belongs_to() -> None:
    ours, theirs, failure = map(json.loads, log_output("json"))
    assert (ours["event"], ours["level"], ours["number"]) == ("Заказ", "info", 45)
    assert (theirs["event"], theirs["level"]) == ("of theirs", "warning")
    assert failure["exception"].endswith("ValueError: дело в этом")
    for line in (ours, theirs, failure):
        assert line["correlation_id"] == "order-45"
        assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_traceback_shows_no_variables(format_: str) -> None:
    lines = "\n".join(log_output(format_))
    assert "ValueError: дело в этом" in lines
    assert "верный-конь" not in lines
    assert "not said" not in lines


@pytest.mark.parametrize("format_", ["json", "console"])
def test_a_line_that_cannot_be_written_fails_nothing(format_: str) -> None:
    with Path(FULL_DISK).open("w") as full:
        done = subprocess.run([sys.executable, "-c", PROGRAM + "\nprint('went on')", format_], stdout=PIPE, stderr=full)
    assert done.stdout == b"went on\n"
