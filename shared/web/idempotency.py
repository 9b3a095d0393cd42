"""Idempotency keys: a repeated POST gets the first response, byte for byte, and has no second effect.

The response is stored in the transaction of the effect.  A transaction-level advisory lock gives a concurrent
duplicate 409 with Retry-After; should both pass it, the primary key lets only one commit.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import asyncpg
from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base.errors import BusinessError
from shared.identity.roles import Principal
from shared.persistence.raw_sql import fetch

STORED_HEADERS = ("content-type", "etag", "location", "content-disposition")
MAX_KEY = 200
PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Уникальный ключ запроса: повтор с тем же ключом вернёт тот же ответ.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
"""For the API documents only: `read` checks the header, so that FastAPI need not do it again."""

_CLAIM = (
    "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || $2::text, 0)),"
    " stored.request_hash, stored.status, stored.headers, stored.body"
    " FROM (SELECT 1) AS one LEFT JOIN idempotency_key AS stored ON stored.scope = $1 AND stored.key = $2"
)
_STORE = "INSERT INTO idempotency_key (scope, key, request_hash, status, headers, body) VALUES ($1, $2, $3, $4, $5, $6)"


class KeyRequired(BusinessError):
    """The request has no valid key."""

    status = 400
    code = "idempotency-key-required"
    title = "Нужен заголовок Idempotency-Key"


class KeyReused(BusinessError):
    """The key belongs to a request with another body or query."""

    status = 422
    code = "idempotency-key-reused"
    title = "Ключ уже использован для другого запроса"


class InProgress(BusinessError):
    """A request with this key is being processed, or has just committed."""

    status = 409
    code = "request-in-progress"
    title = "Такой же запрос ещё выполняется"
    headers = {"Retry-After": "1"}  # noqa: RUF012 (the parent declares it a ClassVar)


@dataclass(frozen=True)
class Claim:
    """A request with its key.  The scope is caller, method and path; the hash covers body and query."""

    scope: str
    key: str
    request_hash: bytes


async def read(request: Request, principal: Principal | None) -> Claim:
    """Read the key and hash the request.  Raises KeyRequired (400)."""
    key = request.headers.get("idempotency-key", "")
    if not key or len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise KeyRequired(f"Передайте Idempotency-Key: от 1 до {MAX_KEY} печатных символов ASCII.")
    scope = f"{principal.id if principal else 'public'} {request.method} {request.url.path}"
    digest = hashlib.sha256(await request.body())
    digest.update(request.url.query.encode())
    return Claim(scope, key, digest.digest())


async def find_stored_response(session: AsyncSession, claim: Claim) -> Response | None:
    """Return the stored response, or None when this transaction is to execute the request.

    Raises KeyReused (422, the same key with another body or query), InProgress (409).
    """
    [(locked, request_hash, status, headers, body)] = await fetch(session, _CLAIM, claim.scope, claim.key)
    if request_hash is not None:
        if bytes(request_hash) != claim.request_hash:
            raise KeyReused("Этот Idempotency-Key уже использован с другими данными.")
        return Response(bytes(body), status_code=status, headers=json.loads(headers) | {"idempotent-replayed": "true"})
    if not locked:
        raise InProgress("Первый запрос с этим ключом ещё выполняется, повторите через секунду.")
    return None


async def store(session: AsyncSession, claim: Claim, response: Response) -> None:
    """Store the response with the effect.  Raises InProgress (409) when a duplicate committed first."""
    headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
    values = (
        claim.scope,
        claim.key,
        claim.request_hash,
        response.status_code,
        json.dumps(headers),
        bytes(response.body),
    )
    try:
        await fetch(session, _STORE, *values)
    except asyncpg.UniqueViolationError as error:
        raise InProgress("Первый запрос с этим ключом только что выполнен, повторите через секунду.") from error
