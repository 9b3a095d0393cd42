"""One request = one transaction.

The route authenticates the caller, reads the body, opens the transaction in the caller's scope, honours the
idempotency key, runs the endpoint, renders the response and commits **before** anything is sent.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from shared.base import fault_points
from shared.identity.tokens import TokenVerifier
from shared.persistence.database import Database
from shared.persistence.scope import NETWORK
from shared.web import idempotency
from shared.web.access import Access, BeforeTransaction, NoIdempotencyKey, Public, bearer_token
from shared.web.problems import PROBLEM_RESPONSES

MAX_BODY_BYTES = 10 * 1024 * 1024


class TransactionRoute(APIRoute):
    """A route that runs in one transaction of its caller's scope."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        declared = [dependency.dependency for dependency in options.get("dependencies") or ()]
        access = [rule for rule in declared if isinstance(rule, Access | Public)]
        if len(access) != 1:
            raise TypeError(f"{path}: a route says who may call it, with allow(...) or public()")
        self.access = access[0]
        methods = options.get("methods") or {"GET"}
        self.needs_key = "POST" in methods and not any(isinstance(rule, NoIdempotencyKey) for rule in declared)
        self.before = next((rule.work for rule in declared if isinstance(rule, BeforeTransaction)), None)
        if self.needs_key:
            options["openapi_extra"] = {"parameters": [idempotency.PARAMETER], **(options.get("openapi_extra") or {})}
        options["max_body_size"] = options.get("max_body_size") or MAX_BODY_BYTES
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler of the endpoint in authentication, transaction and idempotency."""
        endpoint = super().get_route_handler()
        access, needs_key, before = self.access, self.needs_key, self.before

        async def handle(request: Request) -> Response:
            principal = None
            if isinstance(access, Access):
                verifier: TokenVerifier = request.app.state.verifier
                principal = await verifier.verify(bearer_token(request))
                access.check(principal)
                request.state.principal = principal
            database: Database = request.app.state.database
            scope = principal.scope if principal else NETWORK
            await request.body()  # Before the transaction opens: a slow caller must not hold one open.
            if before is not None:
                request.state.before_transaction = await before(request)
            claim = await idempotency.read(request, principal) if needs_key else None
            async with database.app(scope, principal=principal) as session:
                request.state.session = session
                if claim is not None:
                    response = await _run_idempotently(session, request, claim, endpoint)
                else:
                    response = await endpoint(request)
                fault_points.reach("command.before_commit")
            fault_points.reach("command.after_commit")
            return response

        return handle


async def _run_idempotently(
    session: AsyncSession,
    request: Request,
    claim: idempotency.Claim,
    endpoint: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    stored = await idempotency.find_stored_response(session, claim)
    if stored is not None:
        return stored
    response = await endpoint(request)
    await idempotency.store(session, claim, response)
    return response


def service_router(tag: str, prefix: str = "") -> APIRouter:
    """Return a router whose routes are transactions; `tag` is the Russian heading in the API documents."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=TransactionRoute, responses=PROBLEM_RESPONSES)


async def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


Session = Annotated[AsyncSession, Depends(_session)]
