"""The published documents are those of the code, and keep their standards."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
import pytest

from devtools.documents.api import documents
from devtools.documents.pages import pages
from devtools.documents.regulations import catalogue, owners, unknown_clauses
from services.serving import load
from shared.base.settings import SERVICES
from shared.contracts.base import EVENT_TYPES
from tests.contracts.asyncapi_schema import asyncapi_schema
from tests.support import ROOT

PUBLISHED = ROOT / "docs" / "api"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def schema() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(asyncapi_schema())


def asyncapi(service: str) -> Document:
    document: Document = json.loads((PUBLISHED / f"{service}.asyncapi.json").read_text())
    return document


def test_openapi_and_asyncapi_documents_are_up_to_date() -> None:
    """`./reglament openapi` writes them."""
    made = documents()
    assert {path.name for path in PUBLISHED.glob("*.json")} == set(made)
    stale = [name for name, text in made.items() if (PUBLISHED / name).read_text() != text]
    assert stale == []


def test_the_index_of_the_regulations_and_the_page_of_events_are_up_to_date() -> None:
    """`./reglament docs` writes them."""
    stale = [name for name, text in pages().items() if (ROOT / "docs" / name).read_text() != text]
    assert stale == []


def test_code_and_tests_name_only_clauses_of_the_catalogue() -> None:
    assert len({clause.id for clause in catalogue()}) == len(catalogue()) > 100
    assert len(owners()) > 50
    assert unknown_clauses() == {}


@pytest.mark.parametrize("service", SERVICES)
def test_an_asyncapi_document_is_valid_by_the_official_schema(schema: jsonschema_rs.Validator, service: str) -> None:
    document = asyncapi(service)
    assert document["operations"]
    assert [(list(error.instance_path), error.message) for error in schema.iter_errors(document)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_of_an_asyncapi_document_leads_somewhere(service: str) -> None:
    """A schema sees only the form of `$ref`."""
    document = asyncapi(service)
    found = list(_references(document))
    assert len(found) >= len(document["operations"]) + len(document["channels"])
    assert [reference for reference in found if not _leads_somewhere(document, reference)] == []


def _action(document: Document) -> None:
    next(iter(document["operations"].values()))["action"] = "publish"


def _without_channel(document: Document) -> None:
    del next(iter(document["operations"].values()))["channel"]


def _misspelt_field(document: Document) -> None:
    next(iter(document["channels"].values()))["destination"] = "x"


def _unknown_binding(document: Document) -> None:
    next(iter(document["channels"].values()))["bindings"]["amqp"]["is"] = "fanout"


def _payload_of_no_type(document: Document) -> None:
    next(iter(document["components"]["schemas"].values()))["type"] = "text"


def _without_title(document: Document) -> None:
    del document["info"]["title"]


@pytest.mark.parametrize(
    "damage",
    [_action, _without_channel, _misspelt_field, _unknown_binding, _payload_of_no_type, _without_title],
)
def test_the_official_schema_refuses_a_damaged_document(
    schema: jsonschema_rs.Validator, damage: Callable[[Document], None]
) -> None:
    damaged = copy.deepcopy(asyncapi("orders"))
    damage(damaged)
    assert not schema.is_valid(damaged)


def test_a_reference_that_leads_nowhere_is_found() -> None:
    document = asyncapi("orders")
    assert _leads_somewhere(document, "#/components/messages/orders.order.placed.v1")
    assert not _leads_somewhere(document, "#/components/messages/orders.order.lost.v1")


def test_every_event_has_a_producer_and_its_consumers_are_named() -> None:
    services = [load(name) for name in SERVICES]
    published = [event.type for service in services for event in service.publishes]
    assert sorted(published) == sorted(set(published)), "two services publish the same event"
    consumed = {event_type for service in services for event_type in service.consumers.handlers}
    assert consumed <= set(published)
    assert set(published) == set(EVENT_TYPES)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)


def _leads_somewhere(document: Document, reference: str) -> bool:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return True
