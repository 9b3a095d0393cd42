"""Dependencies that several routes of `clients` share."""

from typing import Annotated

from fastapi import Depends, Request

from services.clients.settings import ClientsSettings


def _settings(request: Request) -> ClientsSettings:
    settings: ClientsSettings = request.app.state.settings
    return settings


Configured = Annotated[ClientsSettings, Depends(_settings)]
