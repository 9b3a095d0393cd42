"""Sign-in routes, the same for staff (`control`) and clients (`clients`)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base.clock import now
from shared.base.errors import Unauthenticated
from shared.identity import accounts
from shared.identity.keys import public_keys, signing_key
from shared.identity.roles import Role
from shared.identity.throttle import PER_ACCOUNT, PER_ADDRESS, FailedAttempts
from shared.identity.tokens import ACCESS_LIFETIME, issue
from shared.web import NO_IDEMPOTENCY_KEY, Caller, Input, Output, Session, allow, public, service_router
from shared.web.problems import from_business_error


class SignIn(Input):
    login: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class Refresh(Input):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class SignedIn(Output):
    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int = Field(description="секунд до истечения access_token")
    id: UUID
    role: str
    role_label: str
    office_id: UUID | None
    name: str


class Revoked(Output):
    subject: UUID
    not_before: float = Field(description="токены, выданные раньше этого момента (секунды Unix), недействительны")


class Revocations(Output):
    revoked: list[Revoked]


class Keys(Output):
    keys: list[dict[str, Any]]


def sign_in_router(issuer: str) -> APIRouter:
    """Return the routes; `issuer` is the service's name."""
    router = service_router("Вход")
    failed_attempts = FailedAttempts()

    async def answer(session: AsyncSession, grant: accounts.Grant) -> SignedIn:
        principal = grant.principal
        key = await signing_key(session)
        return SignedIn(
            access_token=issue(key, issuer, principal, session_id=grant.family_id, at=now()),
            refresh_token=grant.refresh_token,
            expires_in=int(ACCESS_LIFETIME.total_seconds()),
            id=principal.id,
            role=principal.role.value,
            role_label=principal.role.label,
            office_id=principal.office_id,
            name=principal.name,
        )

    @router.post("/sessions", dependencies=[public(), NO_IDEMPOTENCY_KEY], summary="Войти")
    async def sign_in(body: SignIn, session: Session, request: Request) -> SignedIn:
        """Логин и пароль обмениваются на токен доступа (10 минут) и токен обновления (30 дней)."""
        address = request.client.host if request.client else "unknown"
        account = (accounts.normalize_login(body.login), address)
        await failed_attempts.check(PER_ACCOUNT, *account)
        await failed_attempts.check(PER_ADDRESS, address)
        grant = await accounts.sign_in(session, body.login, body.password)
        if grant is None:
            await failed_attempts.record(PER_ACCOUNT, *account)
            await failed_attempts.record(PER_ADDRESS, address)
            raise Unauthenticated("Неверный логин или пароль.")
        return await answer(session, grant)

    @router.post(
        "/sessions/refresh",
        dependencies=[public(), NO_IDEMPOTENCY_KEY],
        summary="Обновить токен доступа",
        response_model=SignedIn,
    )
    async def refresh(body: Refresh, session: Session) -> SignedIn | Response:
        """Токен обновления одноразовый; повторное использование старого завершает всю цепочку."""
        grant = await accounts.refresh(session, body.refresh_token)
        if grant is None:
            # Returned, not raised: the end of a reused token's family must be committed.
            return from_business_error(Unauthenticated("Сеанс завершён. Войдите снова."))
        return await answer(session, grant)

    @router.delete("/sessions/current", status_code=204, dependencies=[allow(*Role)], summary="Выйти")
    async def sign_out(session: Session, caller: Caller) -> None:
        """Завершает все сеансы этой учётной записи."""
        await accounts.revoke_tokens(session, caller.id)

    @router.get("/.well-known/jwks.json", dependencies=[public()], summary="Открытые ключи подписи")
    async def keys(session: Session) -> Keys:
        return Keys(keys=await public_keys(session))

    @router.get("/revocations", dependencies=[public()], summary="Отозванные токены")
    async def revocations(session: Session) -> Revocations:
        """Только идентификаторы и моменты; сервисы опрашивают этот список."""
        rows = await accounts.recent_revocations(session)
        return Revocations(revoked=[Revoked(subject=subject, not_before=moment) for subject, moment in rows])

    return router
