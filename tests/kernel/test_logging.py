"""Logs: one line of JSON each, our own and the libraries', with the ids that tie them to a request."""

import json
import subprocess
import sys

PROGRAM = """
import logging
import structlog
from shared import logging as ours
from shared.messaging import context

log = structlog.get_logger("test")
ours.configure("json", "INFO")
context.accept("order-45", "")
log.debug("not said")
log.info("Заказ", number=45)
logging.getLogger("library").warning("of %s", "theirs")
logging.getLogger("httpx").info("not said")
try:
    raise ValueError("дело в этом")
except ValueError:
    log.exception("failed")
"""


def test_every_line_is_json_with_level_time_and_the_request_it_belongs_to() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, encoding="utf-8", check=True)
    ours, theirs, failure = map(json.loads, done.stderr.splitlines())
    assert (ours["event"], ours["level"], ours["number"]) == ("Заказ", "info", 45)
    assert (theirs["event"], theirs["level"]) == ("of theirs", "warning")
    assert failure["exception"].endswith("ValueError: дело в этом")
    for line in (ours, theirs, failure):
        assert line["correlation_id"] == "order-45"
        assert line["timestamp"].endswith("Z")
    assert done.stdout == ""
