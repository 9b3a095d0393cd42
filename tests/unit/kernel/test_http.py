"""The web kit: problems, idempotency, versions, pages, access."""

import pytest

from shared.web import service_router


def test_a_route_that_does_not_say_who_may_call_it_cannot_be_made() -> None:
    router = service_router("x")
    with pytest.raises(TypeError, match="who may call"):

        @router.get("/open")
        async def open_route() -> None: ...
