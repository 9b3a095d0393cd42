"""Rules in seconds for one office, published over HTTP like head office does it."""

from typing import Any
from uuid import UUID

from shared.identity.roles import Role
from tests.support.harness import ServiceHarness


def seconds(amount: int) -> dict[str, Any]:
    return {"amount": amount, "unit": "seconds"}


def ladder(*after: int) -> list[dict[str, Any]]:
    roles = ("manager", "senior_manager", "director", "head_office")
    return [{"role": role, "after": seconds(amount)} for role, amount in zip(roles, after, strict=False)]


async def publish(notifier: ServiceHarness, code: str, office_id: UUID | None, **changes: Any) -> dict[str, Any]:
    """A new version: the current body with changes."""
    async with notifier.http(Role.HEAD_OFFICE) as http:
        known = await http.get(f"/rules/{code}")
        assert known.status_code == 200, known.text
        body = {**known.json()["items"][-1]["rule"], **changes}
        if office_id is not None:
            body["office_id"] = str(office_id)
        answer = await http.put(f"/rules/{code}", json=body, headers={"If-Match": known.headers["etag"]})
    assert answer.status_code == 200, answer.text
    published: dict[str, Any] = answer.json()
    return published
