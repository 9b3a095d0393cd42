"""Шаблоны писем и SMS."""

from typing import Annotated

from fastapi import Path

from services.notifier.rendering import render, render_text
from services.notifier.samples import SAMPLES, SMS_SAMPLES
from services.notifier.schemas import Preview, TemplateOut
from shared.errors import NotFound
from shared.identity.roles import STAFF
from shared.web import Session, allow, service_router

router = service_router("Шаблоны")


@router.get("/templates", dependencies=[allow(*STAFF)], summary="Шаблоны писем и SMS")
async def list_templates(_: Session) -> list[TemplateOut]:
    """Имя шаблона и тема письма на примере."""
    letters = [TemplateOut(name=name, title=render(name, SAMPLES[name]).title, channel="email") for name in SAMPLES]
    texts = [
        TemplateOut(name=name, title=render_text(name, SMS_SAMPLES[name])[:60], channel="sms") for name in SMS_SAMPLES
    ]
    return letters + texts


@router.get("/templates/{name}/preview", dependencies=[allow(*STAFF)], summary="Шаблон на примере")
async def preview(
    name: Annotated[str, Path(pattern=r"^[a-z_]{1,60}$", examples=["information_letter"])], _: Session
) -> Preview:
    """LET-01 и другие: как письмо увидит получатель."""
    if name in SMS_SAMPLES:
        text = render_text(name, SMS_SAMPLES[name])
        return Preview(name=name, title=text[:60], text=text, html=None)
    if name not in SAMPLES:
        raise NotFound("Такого шаблона нет.")
    rendered = render(name, SAMPLES[name])
    return Preview(name=name, title=rendered.title, text=rendered.text, html=rendered.html)
