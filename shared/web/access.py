"""Who may call a route.  Every route declares it with `allow(...)` or `public()`; without it, it cannot be defined."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from shared.base.errors import Forbidden, Unauthenticated
from shared.identity.roles import Principal, Role


class Access(HTTPBearer):
    """The roles that may call a route; the API documents show it as a lock."""

    def __init__(self, roles: frozenset[Role]) -> None:
        super().__init__(scheme_name="bearer", bearerFormat="JWT", auto_error=False)
        self.roles = roles

    def check(self, principal: Principal) -> None:
        """Refuse other roles.  Raises Forbidden."""
        if principal.role not in self.roles:
            raise Forbidden(f"Роли «{principal.role.label}» это действие недоступно.")


class Public:
    """A route without a caller.  It runs in network scope, so it may return only what the request itself proves."""

    async def __call__(self) -> None:
        """Do nothing: the route reads the marker itself."""


class NoIdempotencyKey:
    """A POST that may be repeated freely or carries an identity of its own (sign-in, webhooks)."""

    async def __call__(self) -> None:
        """Do nothing: the route reads the marker itself."""


class BeforeTransaction:
    """Work that a route does before its transaction opens; the result is in `request.state.before_transaction`."""

    def __init__(self, work: Callable[[Request], Awaitable[Any]]) -> None:
        self.work = work

    async def __call__(self) -> None:
        """Do nothing: the route reads the marker itself."""


def allow(*roles: Role) -> Any:
    """Let the roles call the route."""
    return Depends(Access(frozenset(roles)))


def public() -> Any:
    """Let anyone call the route, without a token."""
    return Depends(Public())


def before_transaction(work: Callable[[Request], Awaitable[Any]]) -> Any:
    """Run `work` before the transaction opens: calls to other systems must not hold one open (ADR 10)."""
    return Depends(BeforeTransaction(work))


NO_IDEMPOTENCY_KEY: Any = Depends(NoIdempotencyKey())


def bearer_token(request: Request) -> str:
    """Return the request's access token.  Raises Unauthenticated when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Войдите: нужен заголовок Authorization с токеном доступа.")
    return token.strip()


async def _caller(request: Request) -> Principal:
    principal: Principal = request.state.principal
    return principal


Caller = Annotated[Principal, Depends(_caller)]
