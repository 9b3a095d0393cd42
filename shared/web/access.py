"""Who may call a route.  Every route says so with `allow(...)` or `public()`; one that does not cannot be made."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from shared.base.errors import Forbidden, Unauthenticated
from shared.identity.roles import Principal, Role


class Access(HTTPBearer):
    """The roles that may call a route; also draws the lock in the API documents."""

    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__(scheme_name="bearer", bearerFormat="JWT", auto_error=False)
        self.roles = roles

    def check(self, principal: Principal) -> None:
        """Raises Forbidden."""
        if principal.role not in self.roles:
            raise Forbidden(f"Роли «{principal.role.label}» это действие недоступно.")


class Public:
    """A route without a caller.  It runs in network scope and answers only for what the request itself proves."""

    async def __call__(self) -> None:
        return None


class NoIdempotencyKey:
    """A POST that may be repeated freely or carries an identity of its own (sign-in, webhooks)."""

    async def __call__(self) -> None:
        return None


class BeforeTransaction:
    """Work that a route does before its transaction opens; the result is in `request.state.before_transaction`."""

    def __init__(self, work: Callable[[Request], Awaitable[Any]]) -> None:
        self.work = work

    async def __call__(self) -> None:
        return None


def allow(*roles: Role) -> Any:
    return Depends(Access(frozenset(roles)))


def public() -> Any:
    return Depends(Public())


def before_transaction(work: Callable[[Request], Awaitable[Any]]) -> Any:
    """Others are asked so: no transaction waits for them (ADR 0010)."""
    return Depends(BeforeTransaction(work))


NO_IDEMPOTENCY_KEY: Any = Depends(NoIdempotencyKey())


def bearer_token(request: Request) -> str:
    """Raises Unauthenticated when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Войдите: нужен заголовок Authorization с токеном доступа.")
    return token.strip()


async def _caller(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


Caller = Annotated[Principal, Depends(_caller)]
