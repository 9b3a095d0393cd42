"""`press` prints pages over HTTP, publishes each, and consumes the ledger's answers."""

from asyncio import sleep
from uuid import UUID

from fastapi import Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base.clock import now
from shared.base.errors import NotFound
from shared.messaging import Consumers, publish
from shared.persistence.database import new_id
from shared.runtime.audit import audit
from shared.runtime.service import Service
from shared.web import IfMatch, Input, Output, Session, check_version, public, service_router, set_etag
from tests.faults.sample.contract import PageEntered, PagePrinted
from tests.faults.sample.press.models import Base, Entered, Page

OFFICE = UUID(int=1)
router = service_router("Страницы")
consumers = Consumers("press")


class PageIn(Input):
    number: int
    text: str = "text"
    hold_seconds: float = Field(default=0, ge=0, le=10, description="how long the commit is delayed")


class PageText(Input):
    text: str


class PageOut(Output):
    id: UUID
    number: int
    text: str
    version: int


@router.post("/pages", status_code=201, dependencies=[public()])
async def print_page(body: PageIn, session: Session, response: Response) -> PageOut:
    page = Page(id=new_id(), number=body.number, text=body.text)
    session.add(page)
    await session.flush()
    fact = PagePrinted(
        office_id=OFFICE, version=page.version, occurred_at=now(), page_id=page.id, number=page.number, text=page.text
    )
    await publish(session, fact)
    await audit(session, "page.printed", subject=f"page/{page.id}", office_id=OFFICE)
    await sleep(body.hold_seconds)
    set_etag(response, page.version)
    return PageOut.model_validate(page)


@router.patch("/pages/{page_id}", dependencies=[public()])
async def edit_page(page_id: UUID, body: PageText, session: Session, expected: IfMatch, response: Response) -> PageOut:
    page = await session.get(Page, page_id, with_for_update=True)
    if page is None:
        raise NotFound("Такой страницы нет.")
    check_version(page.version, expected)
    page.text = body.text
    await session.flush()
    set_etag(response, page.version)
    return PageOut.model_validate(page)


@consumers.on(PageEntered)
async def note_entry(event: PageEntered, session: AsyncSession) -> None:
    session.add(Entered(id=new_id(), page_id=event.page_id))


service = Service(
    name="press",
    title="Печать",
    package="tests.faults.sample.press",
    routers=[router],
    consumers=consumers,
    publishes=[PagePrinted],
    metadata=Base.metadata,
)
