"""A new service is entered in three places; none may be forgotten."""

from configparser import ConfigParser

import yaml

from shared.base.settings import SERVICES
from tests.support import ROOT


def test_settings_import_rules_and_containers_know_the_same_services() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/app.py")}
    assert folders == set(SERVICES)
    rules = ConfigParser()
    rules.read(ROOT / ".importlinter")
    independent = rules["importlinter:contract:independent"]["modules"].split()
    layered = rules["importlinter:contract:layers"]["containers"].split()
    plain = [
        name for name in rules["importlinter:contract:domain"]["source_modules"].split() if name.startswith("services.")
    ]
    assert {name.removeprefix("services.") for name in independent} == set(SERVICES)
    assert {name.split(".")[1] for name in layered} == set(SERVICES)
    assert {name.split(".")[1] for name in plain} == set(SERVICES)
    containers = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert set(SERVICES) <= set(containers)
