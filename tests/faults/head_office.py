"""Head office without the service that signs people in: an issuer of tokens that the services ask over HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from joserfc.jwk import OKPKey

from shared.base.clock import now
from shared.identity.roles import Principal, Role
from shared.identity.tokens import ACCESS_LIFETIME, generate_key, issue
from shared.persistence.database import new_id
from simulators.embedded_http import serving


@dataclass(slots=True)
class HeadOffice:
    """One person, whose token is renewed before it expires."""

    url: str
    _key: OKPKey
    _person: Principal = field(default_factory=lambda: Principal(new_id(), Role.HEAD_OFFICE, None, "Оператор"))
    _token: str = ""
    _renewed_at: float = 0.0

    @property
    def settings(self) -> dict[str, str]:
        return {"REGLAMENT_CONTROL_URL": self.url, "REGLAMENT_CLIENTS_URL": self.url}

    @property
    def headers(self) -> dict[str, str]:
        if not self._token or time.monotonic() - self._renewed_at > ACCESS_LIFETIME.total_seconds() / 2:
            self._token = issue(self._key, "control", self._person, session_id=new_id(), at=now())
            self._renewed_at = time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}


@asynccontextmanager
async def head_office() -> AsyncIterator[HeadOffice]:
    """Serve keys and revocations as `control` does."""
    key = generate_key()
    app = FastAPI()

    @app.get("/.well-known/jwks.json")
    async def keys() -> dict[str, Any]:
        return {"keys": [key.as_dict(private=False)]}

    @app.get("/revocations")
    async def revocations() -> dict[str, Any]:
        return {"revoked": []}

    async with serving(app, "127.0.0.1", 0) as url:
        yield HeadOffice(url, key)
