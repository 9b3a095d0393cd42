"""Idempotency keys: a repeated POST gets the first answer, byte for byte, and has no second effect.

The answer is stored in the transaction of the effect.  A transaction-level advisory lock makes a concurrent
twin get 409 with Retry-After; should both slip through, the primary key lets only one commit.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request, Response
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import BusinessError
from shared.identity.roles import Principal
from shared.messaging.tables import idempotency_key as table

STORED_HEADERS = ("content-type", "etag", "location", "content-disposition")

_CLAIM = text(
    "SELECT pg_try_advisory_xact_lock(hashtextextended(:scope || :key, 0)) AS locked,"
    " stored.request_hash, stored.status, stored.headers, stored.body"
    " FROM (SELECT 1) AS one LEFT JOIN idempotency_key AS stored ON stored.scope = :scope AND stored.key = :key"
)


class KeyRequired(BusinessError):
    status = 400
    code = "idempotency-key-required"
    title = "Нужен заголовок Idempotency-Key"


class KeyReused(BusinessError):
    status = 422
    code = "idempotency-key-reused"
    title = "Ключ уже использован для другого запроса"


class InProgress(BusinessError):
    status = 409
    code = "request-in-progress"
    title = "Такой же запрос ещё выполняется"
    headers = {"Retry-After": "1"}  # noqa: RUF012 (the parent declares it a ClassVar)


async def documented(
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Уникальный ключ запроса: повтор с тем же ключом вернёт тот же ответ.",
            min_length=1,
            max_length=200,
        ),
    ] = None,
) -> None:
    """Only puts the header into the API documents; `claim` reads it."""


@dataclass(frozen=True)
class Claim:
    scope: str
    key: str
    request_hash: bytes


async def claim(session: AsyncSession, request: Request, principal: Principal | None) -> Claim | Response:
    """The right to run this request, or the stored answer.

    Raises KeyRequired (400), KeyReused (422, the same key with another body), InProgress (409).
    """
    key = request.headers.get("idempotency-key", "")
    if not key or len(key) > 200 or not key.isascii() or not key.isprintable():
        raise KeyRequired("Передайте Idempotency-Key: от 1 до 200 печатных символов ASCII.")
    scope = f"{principal.id if principal else 'public'} {request.method} {request.url.path}"
    digest = hashlib.sha256(await request.body())
    digest.update(request.url.query.encode())
    row = (await session.execute(_CLAIM, {"scope": scope, "key": key})).one()
    if row.request_hash is not None:
        if bytes(row.request_hash) != digest.digest():
            raise KeyReused("Этот Idempotency-Key уже использован с другими данными.")
        headers = json.loads(row.headers) | {"idempotent-replayed": "true"}
        return Response(bytes(row.body), status_code=row.status, headers=headers)
    if not row.locked:
        raise InProgress("Первый запрос с этим ключом ещё выполняется, повторите через секунду.")
    return Claim(scope, key, digest.digest())


async def store(session: AsyncSession, claim: Claim, response: Response) -> None:
    """Keep the answer with the effect.  Raises InProgress when a twin has committed first."""
    headers = {name: response.headers[name] for name in STORED_HEADERS if name in response.headers}
    try:
        await session.execute(
            insert(table).values(
                scope=claim.scope,
                key=claim.key,
                request_hash=claim.request_hash,
                status=response.status_code,
                headers=json.dumps(headers),
                body=bytes(response.body),
            )
        )
    except IntegrityError as error:
        raise InProgress("Первый запрос с этим ключом только что выполнен, повторите через секунду.") from error
