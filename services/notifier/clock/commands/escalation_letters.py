"""Write the letters to staff about deadlines when they are sent (NTF-03).

They name the obligation, the client, the person responsible, the delay and the consequence.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifier.clock.domain.labels import OBLIGATION_STATES, SUBJECTS
from services.notifier.clock.models.obligations import Obligation
from services.notifier.delivery.commands.notices import office_context
from services.notifier.delivery.models.notices import Notice
from services.notifier.people.models.projections import Client, StaffMember
from services.notifier.people.queries import get_office
from services.notifier.texts import queries
from services.notifier.texts.labels import length_ru, moment_ru
from shared.identity.roles import LABELS, Role

_HEADLINES = {
    "warning": "Скоро истечёт срок",
    "breach": "Срок нарушен",
    "escalation": "Срок нарушен",
}
_CONSEQUENCES = {
    "remove_order": "По истечении предельного срока неоплаченные позиции снимаются с заказа автоматически.",
    "disable_client": "По истечении предельного срока учётная запись клиента отключается.",
}


async def fill_in(session: AsyncSession, notice: Notice, *, at: datetime, public_url: str) -> bool:
    """Fill in the letter or the SMS with what is true now; False when it has become pointless."""
    assert notice.context is not None
    letter: Notice | None = notice
    if notice.channel == "sms":
        letter = await session.get(Notice, UUID(notice.context["letter"]), populate_existing=True)
    if letter is None:
        return False
    digest = letter.template == "digest"
    context = await (_digest if digest else _alone)(session, letter, at=at, public_url=public_url)
    if context is None:
        return False
    if notice.channel == "sms":
        notice.template = f"{letter.template}_sms"
        notice.text, notice.template_version = await queries.render_sms(
            session, notice.template, context, notice.office_id
        )
        notice.title = notice.text[:60]
        return True
    rendered, notice.template_version = await queries.render_letter(session, notice.template, context, notice.office_id)
    notice.title, notice.text, notice.html = rendered.title, rendered.text, rendered.html
    return True


async def _alone(session: AsyncSession, notice: Notice, *, at: datetime, public_url: str) -> dict[str, Any] | None:
    assert notice.context is not None
    obligation = await session.get(Obligation, notice.obligation_id)
    if obligation is None:
        return None
    kind = notice.context["kind"]
    outdated = obligation.state != "open" or obligation.generation != notice.context["generation"]
    if kind == "warning" and outdated:
        return None
    office = await get_office(session, obligation.office_id)
    responsible = await session.get(StaffMember, obligation.responsible_staff_id or notice.id)
    client = await session.get(Client, obligation.client_id or notice.id)
    late = obligation.closed_at or at
    return {
        "kind": kind,
        "headline": _HEADLINES[kind],
        "recipient": notice.recipient_name,
        "sentence": _sentence(kind, notice.context.get("role"), obligation, at),
        "duty": obligation.title,
        "clause": obligation.clause,
        "about": _about(obligation, client),
        "client_line": _client_line(client),
        "responsible": responsible.full_name if responsible else "не назначен",
        "opened_at": obligation.opened_at,
        "due_at": obligation.due_at,
        "late": length_ru(late - obligation.due_at) if late > obligation.due_at else "",
        "consequence": _consequence(obligation),
        "closed_note": _closed_note(obligation, office.time_zone),
        "public_url": public_url,
        "zone": office.time_zone,
        "office": office_context(office),
    }


async def _digest(session: AsyncSession, notice: Notice, *, at: datetime, public_url: str) -> dict[str, Any] | None:
    """Return the data of a letter about several obligations; what has been done meanwhile is left out."""
    assert notice.context is not None
    items = {UUID(item["obligation_id"]): item for item in notice.context["items"]}  # The latest of each.
    rows = (await session.execute(select(Obligation).where(Obligation.id.in_(items)))).scalars().all()
    still_open = [row for row in rows if row.state == "open" and row.generation == items[row.id]["generation"]]
    if not still_open:
        return None
    clients = await session.execute(select(Client).where(Client.client_id.in_({row.client_id for row in still_open})))
    by_id = {client.client_id: client for client in clients.scalars()}
    office = await get_office(session, notice.office_id)
    late = sum(row.due_at <= at for row in still_open)
    lines = [
        {
            "kind": "срок нарушен" if row.due_at <= at else "скоро срок",
            "late": row.due_at <= at,
            "title": row.title,
            "clause": row.clause,
            "about": _about(row, by_id.get(row.client_id or row.id)),
            "due_at": row.due_at,
        }
        for row in sorted(still_open, key=lambda row: (row.due_at, row.id))
    ]
    return {
        "recipient": notice.recipient_name,
        "lines": lines,
        "late": late,
        "soon": len(lines) - late,
        "more": max(0, notice.context["count"] - len(notice.context["items"])),
        "zone": notice.time_zone,
        "public_url": public_url,
        "office": office_context(office),
    }


def _sentence(kind: str, role: str | None, obligation: Obligation, at: datetime) -> str:
    if kind == "warning":
        return f"до срока осталось {length_ru(obligation.due_at - at)}." if obligation.due_at > at else "срок истекает."
    if kind == "breach":
        return "срок истёк, а обязанность не выполнена."
    return f"срок истёк, и дело дошло до вас («{LABELS[Role(role or 'manager')]}»)."


def _about(obligation: Obligation, client: Client | None) -> str:
    """Return the subject with its name: «заказ З-0012», «клиент Петрова Мария»."""
    kind = SUBJECTS[obligation.subject_kind]
    if obligation.subject_label:
        return f"{kind} {obligation.subject_label}"
    if client is not None and obligation.subject_kind == "client":
        return f"{kind} {client.full_name}"
    return f"{kind} {str(obligation.subject_id)[-8:]}"


def _client_line(client: Client | None) -> str:
    return ", ".join(part for part in (client.full_name, client.phone, client.email) if part) if client else ""


def _consequence(obligation: Obligation) -> str:
    if obligation.state != "open":
        return ""
    return next((_CONSEQUENCES[step["action"]] for step in obligation.schedule if step["kind"] == "limit"), "")


def _closed_note(obligation: Obligation, zone: str) -> str:
    if obligation.closed_at is None:
        return ""
    return f"К моменту отправки письма: {OBLIGATION_STATES[obligation.state]} {moment_ru(obligation.closed_at, zone)}."
