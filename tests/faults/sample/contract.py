"""The events between the two samples.  Imported by their processes only."""

from uuid import UUID

from shared.contracts.base import Event


class PagePrinted(Event, type="press.page.printed.v1", subject="page_id"):
    """A page was printed; its `text` may make the consumer fail."""

    page_id: UUID
    number: int
    text: str


class PageEntered(Event, type="ledger.page.entered.v1", subject="page_id"):
    """The ledger has entered the page."""

    page_id: UUID
    number: int
