"""Шаблоны писем и SMS."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from services.notifier.texts import commands, queries
from services.notifier.texts.models import TemplateDraft, TemplateVersion
from services.notifier.texts.rendering import TEMPLATES, Rendered, render, render_text
from services.notifier.texts.samples import SAMPLES, SMS_SAMPLES
from services.notifier.texts.schemas import DraftOut, Preview, PutDraft, TemplateOut, TemplateVersionOut, TextScope
from shared.base.clock import now
from shared.base.errors import NotFound
from shared.identity.roles import STAFF, Role
from shared.web import (
    NO_IDEMPOTENCY_KEY,
    Caller,
    IfMatch,
    Page,
    PageRequest,
    Session,
    allow,
    paginate,
    service_router,
    set_etag,
)

router = service_router("Шаблоны")

Name = Annotated[str, Path(pattern=r"^[a-z_]{1,60}$", examples=["information_letter"])]
OfficeQuery = Annotated[UUID | None, Query(description="Чей текст; пусто — всей сети")]


@router.get("/templates", dependencies=[allow(*STAFF)], summary="Шаблоны писем и SMS")
async def list_templates(_: Session) -> list[TemplateOut]:
    """Имя шаблона и тема письма на примере."""
    letters = [TemplateOut(name=name, title=render(name, SAMPLES[name]).title, channel="email") for name in SAMPLES]
    short = [
        TemplateOut(name=name, title=render_text(name, SMS_SAMPLES[name])[:60], channel="sms") for name in SMS_SAMPLES
    ]
    return letters + short


@router.get("/templates/{name}/preview", dependencies=[allow(*STAFF)], summary="Шаблон на примере")
async def preview(name: Name, session: Session, office_id: OfficeQuery = None) -> Preview:
    """LET-01 и другие: как письмо увидит получатель; действующий текст офиса или сети."""
    sample = commands.sample_of(name)
    if name in SMS_SAMPLES:
        body, _ = await queries.render_sms(session, name, sample, office_id)
        return Preview(name=name, title=body[:60], text=body, html=None)
    rendered, _ = await queries.render_letter(session, name, sample, office_id)
    return _preview(name, rendered)


@router.get("/templates/{name}/source", dependencies=[allow(Role.HEAD_OFFICE)], summary="Действующий исходный текст")
async def show_source(name: Name, session: Session, office_id: OfficeQuery = None) -> PutDraft:
    """С него удобно начинать черновик. Поля — как в примере предпросмотра."""
    commands.sample_of(name)
    version = await queries.text_in_force(session, name, office_id)
    if version is not None and version.text is not None:
        return PutDraft(office_id=office_id, title=version.title, text=version.text, html=version.html)
    source = (TEMPLATES / f"{name}.txt").read_text()
    if name in SMS_SAMPLES:
        return PutDraft(office_id=office_id, text=source)
    title, _, body = source.partition("\n")
    page = (TEMPLATES / f"{name}.html").read_text().partition("{% block body %}")[2].rpartition("{% endblock %}")[0]
    return PutDraft(office_id=office_id, title=title, text=body, html=page)


@router.get("/templates/{name}/versions", dependencies=[allow(*STAFF)], summary="Опубликованные версии текста")
async def list_versions(name: Name, session: Session, page: PageRequest) -> Page[TemplateVersionOut]:
    """Новые сверху. Уведомления помнят версию, которой написаны."""
    commands.sample_of(name)
    rows, after = await paginate(session, queries.versions(name), page, key=(TemplateVersion.version.desc(),))
    return Page(items=[TemplateVersionOut.model_validate(row) for row in rows], next=after.next)


@router.get("/templates/{name}/draft", dependencies=[allow(Role.HEAD_OFFICE)], summary="Черновик")
async def show_draft(name: Name, session: Session, response: Response, office_id: OfficeQuery = None) -> DraftOut:
    draft = await _draft(session, name, office_id)
    set_etag(response, draft.version)
    return DraftOut.model_validate(draft)


@router.put("/templates/{name}/draft", dependencies=[allow(Role.HEAD_OFFICE)], summary="Сохранить черновик")
async def put_draft(
    name: Name, body: PutDraft, expected: IfMatch, session: Session, caller: Caller, response: Response
) -> DraftOut:
    """Проверяется сразу: данные, разметка, ничего исполняемого. `If-Match` нового черновика — `"0"`."""
    values = body.model_dump(exclude={"office_id"})
    draft = await commands.save_draft(session, name, body.office_id, values, expected=expected, caller=caller, at=now())
    set_etag(response, draft.version)
    return DraftOut.model_validate(draft)


@router.get("/templates/{name}/draft/preview", dependencies=[allow(Role.HEAD_OFFICE)], summary="Черновик на примере")
async def preview_draft(name: Name, session: Session, office_id: OfficeQuery = None) -> Preview:
    draft = await _draft(session, name, office_id)
    return _preview(name, commands.render_sample(name, draft.title, draft.text, draft.html))


@router.post(
    "/templates/{name}/check",
    dependencies=[allow(Role.HEAD_OFFICE), NO_IDEMPOTENCY_KEY],
    summary="Посмотреть текст, не сохраняя",
)
async def check_text(name: Name, body: PutDraft, _: Session) -> Preview:
    return _preview(name, commands.render_sample(name, body.title, body.text, body.html))


@router.post(
    "/templates/{name}/publication", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Опубликовать"
)
async def publish(name: Name, body: TextScope, session: Session, caller: Caller) -> TemplateVersionOut:
    """Черновик становится новой версией; уже написанные уведомления не меняются."""
    row = await commands.publish_draft(session, name, body.office_id, caller=caller, at=now())
    return TemplateVersionOut.model_validate(row)


@router.post(
    "/templates/{name}/reset", status_code=201, dependencies=[allow(Role.HEAD_OFFICE)], summary="Вернуть прежний"
)
async def reset(name: Name, body: TextScope, session: Session, caller: Caller) -> TemplateVersionOut:
    """Для офиса снова действует текст сети, для сети — текст системы."""
    row = await commands.reset(session, name, body.office_id, caller=caller, at=now())
    return TemplateVersionOut.model_validate(row)


async def _draft(session: Session, name: str, office_id: UUID | None) -> TemplateDraft:
    draft = await queries.find_draft(session, name, office_id)
    if draft is None:
        raise NotFound("Черновика нет.")
    return draft


def _preview(name: str, rendered: Rendered) -> Preview:
    return Preview(name=name, title=rendered.title, text=rendered.text, html=rendered.html or None)
