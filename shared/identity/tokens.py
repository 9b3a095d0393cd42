"""Access tokens: issued by `control` (staff) and `clients` (clients), verified everywhere by pinned keys."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from shared.base.errors import Unauthenticated, Unavailable
from shared.identity.roles import Principal, Role
from shared.persistence.database import new_id

log = structlog.get_logger(__name__)

ALGORITHM = "Ed25519"
AUDIENCE = "reglament"
TOKEN_TYPE = "at+jwt"
ACCESS_LIFETIME = timedelta(minutes=10)
REVOCATION_POLL_SECONDS = 20.0
REVOCATION_MAX_AGE_SECONDS = 60.0
"""Staff tokens are refused when the feed of revocations is older than this."""
KEY_REFRESH_SECONDS = 5.0
MAX_CACHED_TOKENS = 10_000
CLOCK_LEEWAY_SECONDS = 5
"""Tolerated difference between the clocks of two machines."""


def generate_key() -> OKPKey:
    """Return a new signing key."""
    return OKPKey.generate_key("Ed25519", {"kid": str(new_id()), "use": "sig", "alg": ALGORITHM}, private=True)


def issue(key: OKPKey, issuer: str, principal: Principal, *, session_id: UUID, at: datetime) -> str:
    """Return a signed access token that is valid for `ACCESS_LIFETIME`."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": str(principal.id),
        "role": principal.role.value,
        "office": str(principal.office_id) if principal.office_id else None,
        "name": principal.name,
        "sid": str(session_id),
        "iat": at.timestamp(),
        "exp": int((at + ACCESS_LIFETIME).timestamp()),
        "jti": str(new_id()),
    }
    return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


@dataclass
class Issuer:
    """What a verifier knows of one issuer: its keys and its revocations."""

    name: str
    url: str
    keys: KeySet = field(default_factory=lambda: KeySet([]))
    keys_read_at: float = 0.0
    revoked: dict[UUID, float] = field(default_factory=dict)
    """Subject -> tokens issued before this moment (seconds since the epoch) are invalid."""
    revocations_read_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token, cached: its signature need not be checked again for each request."""

    principal: Principal
    issuer: Issuer
    keys: KeySet
    issued_at: float
    expires_at: float

    def is_valid(self) -> bool:
        """Return whether the token has not expired and the issuer's keys were not reloaded."""
        return self.keys is self.issuer.keys and time.time() < self.expires_at


class TokenVerifier:
    """Verify tokens: signature, `typ`, `iss`, `aud`, `exp` and revocation.

    Keys come from the issuers' JWKS over HTTP, in one-process mode too; revocations are polled (`watch`).
    """

    def __init__(self, issuers: Mapping[str, str], http: httpx.AsyncClient) -> None:
        self._issuers = {name: Issuer(name, url.rstrip("/")) for name, url in issuers.items()}
        self._http = http
        self._verified: dict[str, _Verified] = {}

    async def verify(self, token: str) -> Principal:
        """Return the caller.  Raises Unauthenticated, or Unavailable when an issuer does not respond."""
        verified = self._verified.get(token)
        if verified is None or not verified.is_valid():
            verified = await self._verify(token)
            if len(self._verified) >= MAX_CACHED_TOKENS:
                self._verified.clear()
            self._verified[token] = verified
        await self._refuse_revoked(verified.issuer, verified.principal, verified.issued_at)
        return verified.principal

    async def _verify(self, token: str) -> _Verified:
        """Verify signature and claims.  Raises Unauthenticated, Unavailable."""
        try:
            issuer = self._issuers[_unverified(token, "iss")]
            keys = await self._keys(issuer, _kid(token))
            claims = _claims(jwt.decode(token, keys, algorithms=[ALGORITHM]), issuer.name)
            principal = Principal(
                UUID(claims["sub"]),
                Role(claims["role"]),
                UUID(claims["office"]) if claims["office"] else None,
                claims["name"],
            )
        except (JoseError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Unauthenticated("Токен недействителен или истёк. Войдите снова.") from error
        if (principal.role == Role.CLIENT) != (issuer.name == "clients"):
            raise Unauthenticated("Токен выдан не тем, кто вправе его выдавать.")
        return _Verified(principal, issuer, keys, claims["iat"], claims["exp"])

    async def watch(self) -> None:
        """Poll the revocation feeds until cancelled."""
        while True:
            for issuer in self._issuers.values():
                await self._read_revocations(issuer)
            await asyncio.sleep(REVOCATION_POLL_SECONDS)

    async def _keys(self, issuer: Issuer, kid: str) -> KeySet:
        known = {key.kid for key in issuer.keys.keys}
        if kid not in known and time.monotonic() - issuer.keys_read_at > KEY_REFRESH_SECONDS:
            try:
                response = await self._http.get(f"{issuer.url}/.well-known/jwks.json")
                response.raise_for_status()
                issuer.keys = KeySet.import_key_set(response.json())
            except (httpx.HTTPError, ValueError) as error:
                raise Unavailable("Служба входа не отвечает, повторите через несколько секунд.") from error
            issuer.keys_read_at = time.monotonic()
        return issuer.keys

    async def _refuse_revoked(self, issuer: Issuer, principal: Principal, issued_at: float) -> None:
        if time.monotonic() - issuer.revocations_read_at > REVOCATION_MAX_AGE_SECONDS or not issuer.revocations_read_at:
            await self._read_revocations(issuer)
        stale = not issuer.revocations_read_at or (
            time.monotonic() - issuer.revocations_read_at > REVOCATION_MAX_AGE_SECONDS
        )
        if stale and principal.role != Role.CLIENT:
            raise Unavailable("Служба входа не отвечает, повторите через несколько секунд.")
        if issued_at < issuer.revoked.get(principal.id, 0.0):
            raise Unauthenticated("Доступ закрыт. Войдите снова.")

    async def _read_revocations(self, issuer: Issuer) -> None:
        try:
            response = await self._http.get(f"{issuer.url}/revocations")
            response.raise_for_status()
            revoked = {UUID(row["subject"]): float(row["not_before"]) for row in response.json()["revoked"]}
        except (httpx.HTTPError, ValueError, TypeError, KeyError) as error:
            log.warning("revocations are not answered", issuer=issuer.name, error=repr(error))
            return
        issuer.revoked = revoked
        issuer.revocations_read_at = time.monotonic()


def _unverified(token: str, claim: str) -> str:
    return str(_segment(token, 1)[claim])


def _kid(token: str) -> str:
    header = _segment(token, 0)
    if header.get("typ") != TOKEN_TYPE:
        raise ValueError("not an access token")
    return str(header["kid"])


def _segment(token: str, index: int) -> dict[str, Any]:
    segment = token.split(".")[index]
    value = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    if not isinstance(value, dict):
        raise TypeError("a JWT segment is an object")
    return value


def _claims(token: jwt.Token, issuer: str) -> dict[str, Any]:
    registry = jwt.JWTClaimsRegistry(
        leeway=CLOCK_LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": AUDIENCE},
        exp={"essential": True},
        sub={"essential": True},
    )
    registry.validate(token.claims)
    return token.claims
