"""The published API documents are those of the code."""

from devtools.documents.api import documents
from services.serving import load
from shared.base.settings import SERVICES
from shared.contracts.base import EVENT_TYPES
from tests.support import ROOT

PUBLISHED = ROOT / "docs" / "api"


def test_openapi_and_asyncapi_documents_are_up_to_date() -> None:
    """`./reglament openapi` writes them."""
    made = documents()
    assert {path.name for path in PUBLISHED.glob("*.json")} == set(made)
    stale = [name for name, text in made.items() if (PUBLISHED / name).read_text() != text]
    assert stale == []


def test_every_event_has_a_producer_and_its_consumers_are_named() -> None:

    services = [load(name) for name in SERVICES]
    published = [event.type for service in services for event in service.publishes]
    assert sorted(published) == sorted(set(published)), "two services publish the same event"
    consumed = {event_type for service in services for event_type in service.consumers.handlers}
    assert consumed <= set(published)
    assert set(published) == set(EVENT_TYPES)
