"""The smallest service that uses every part of the kernel."""

from asyncio import sleep
from uuid import UUID

from fastapi import Response
from sqlalchemy import Index, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from shared.base.clock import now
from shared.base.errors import NotFound
from shared.contracts.orders import OrderProcessed
from shared.contracts.vin import VinRequestAnswered
from shared.identity.roles import OFFICE_STAFF, STAFF, Role
from shared.messaging import Consumers, publish
from shared.persistence.database import ClientOwned, OfficeOwned, ServiceBase, Versioned, new_id, new_metadata
from shared.runtime.audit import audit
from shared.runtime.service import Service
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    IfMatch,
    Input,
    Output,
    Page,
    PageRequest,
    Session,
    ShortText,
    allow,
    check_version,
    paginate,
    public,
    service_router,
    set_etag,
)


class Base(ServiceBase):
    metadata = new_metadata()


class Note(Base, ClientOwned, Versioned):
    __tablename__ = "note"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)

    __table_args__ = (Index("ix_note_office_id", "office_id", "text", "id"),)


class Margin(Base, OfficeOwned):
    """Rows that no client may see."""

    __tablename__ = "margin"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    text: Mapped[str]


class NoteIn(Input):
    client_id: UUID
    text: ShortText


class NoteText(Input):
    text: ShortText


class NoteOut(Output):
    id: UUID
    office_id: UUID
    client_id: UUID
    text: str
    version: int


router = service_router("Заметки")


@router.post("/notes", status_code=201, dependencies=[allow(*OFFICE_STAFF)])
async def write_note(body: NoteIn, session: Session, caller: Caller, response: Response) -> NoteOut:
    assert caller.office_id is not None
    if body.text.startswith("slow"):
        await sleep(0.5)
    note = Note(id=new_id(), office_id=caller.office_id, client_id=body.client_id, text=body.text)
    session.add(note)
    await session.flush()
    fact = OrderProcessed(
        office_id=note.office_id, version=note.version, occurred_at=now(), order_id=note.id, client_id=note.client_id
    )
    await publish(session, fact)
    await audit(session, "note.written", subject=f"note/{note.id}", office_id=note.office_id)
    set_etag(response, note.version)
    return NoteOut.model_validate(note)


@router.get("/notes", dependencies=[allow(*STAFF, Role.CLIENT)])
async def list_notes(session: Session, page: PageRequest) -> Page[NoteOut]:
    rows, after = await paginate(session, select(Note), page, key=(Note.text.desc(), Note.id))
    return Page(items=[NoteOut.model_validate(row) for row in rows], next=after.next)


@router.get("/margins", dependencies=[allow(*STAFF, Role.CLIENT)])
async def list_margins(session: Session) -> list[str]:
    return list(await session.scalars(select(Margin.text)))


@router.get("/notes/{note_id}", dependencies=[allow(*STAFF, Role.CLIENT)])
async def show_note(note_id: UUID, session: Session, response: Response) -> NoteOut:
    note = await _note(session, note_id)
    set_etag(response, note.version)
    return NoteOut.model_validate(note)


@router.patch("/notes/{note_id}", dependencies=[allow(*OFFICE_STAFF)])
async def change_note(
    note_id: UUID, body: NoteText, session: Session, expected: IfMatch, response: Response
) -> NoteOut:
    note = await _note(session, note_id)
    check_version(note.version, expected)
    note.text = body.text
    await session.flush()
    set_etag(response, note.version)
    return NoteOut.model_validate(note)


@router.post("/echo", dependencies=[public(), NO_IDEMPOTENCY_KEY])
async def echo(body: NoteText) -> NoteText:
    return body


@router.get("/broken", dependencies=[public()])
async def broken() -> None:
    raise RuntimeError("a mistake of ours")


consumers = Consumers("sample")
failing: set[str] = set()
"""Note texts whose handler fails, set by the tests."""


@consumers.on(VinRequestAnswered)
async def keep_number(event: VinRequestAnswered, session: AsyncSession) -> None:
    """Keep the request's number as a note."""
    session.add(Note(id=new_id(), office_id=event.office_id, client_id=event.client_id, text=event.number))
    await session.flush()
    if event.number in failing:
        raise RuntimeError(f"{event.number} always fails")


async def _note(session: AsyncSession, note_id: UUID) -> Note:
    note = await session.get(Note, note_id)
    if note is None:
        raise NotFound("Такой заметки нет.")
    return note


service = Service(
    name="sample",
    title="Заметки",
    package="tests.support.sample_service",
    routers=[router],
    consumers=consumers,
    publishes=[OrderProcessed],
    metadata=Base.metadata,
    signs_in=True,
)
