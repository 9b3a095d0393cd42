"""Bad input of every kind is a problem of the caller and never an error of ours."""

from typing import Any

import httpx
import pytest

from shared.persistence.database import new_id
from tests.integration.control.conftest import open_office, problem
from tests.integration.control.samples import WEEK, office_body, staff_body
from tests.support.harness import ServiceHarness

REST_OF_THE_WEEK: list[list[list[str]]] = [[], [], [], [], [], []]


@pytest.mark.parametrize(
    ("hours", "message"),
    [
        ([["18:00", "09:00"]], "начало промежутка раньше"),
        ([["09:00", "14:00"], ["13:00", "18:00"]], "не пересекаются"),
        ([["9", "18:00"]], "ЧЧ:ММ"),
        ([["09:00", "25:00"]], "00:00 до 24:00"),
        ([["09:00"]], ""),
        ("09:00", ""),
        ([[10**40, "18:00"]], ""),
        (None, ""),
    ],
)
async def test_senseless_hours_are_refused(head_office: httpx.AsyncClient, hours: Any, message: str) -> None:
    answer = await head_office.post("/offices", json=office_body(calendar={"weekly": [hours, *REST_OF_THE_WEEK]}))
    assert (answer.status_code, problem(answer)) == (422, "invalid"), answer.text
    assert message in answer.text


@pytest.mark.parametrize(
    "junk", ["", "null", "[]", '"text"', "{", '{"name": "\\u0000"}', '{"name": "\\ud800"}', "1e999"]
)
@pytest.mark.parametrize("path", ["/offices", "/staff", "/penalties", "/policies", "/sessions", "/me/password"])
async def test_junk_bodies_are_refused(head_office: httpx.AsyncClient, path: str, junk: str) -> None:
    answer = await head_office.post(path, content=junk, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert problem(answer) in ("invalid", "malformed-request")


@pytest.mark.parametrize(
    "path",
    [
        "/offices/not-a-uuid",
        "/offices/01a20058-49cb-7082-b090-1f81a70c1dfb%00",
        "/staff?role=client",
        "/staff?active=maybe",
        "/staff?limit=0",
        "/staff?limit=99999999999999999999",
        "/staff?cursor=%00",
        "/offices?city=%00",
        "/penalties?first_day=0001-01-01",
        "/penalties?last_day=9999-12-31",
        "/penalties?first_day=2026-02-30",
        "/penalties?staff_id=1",
        "/penalties?first_day=2026-02-02&last_day=2026-02-01",
    ],
)
async def test_junk_in_addresses_is_refused(head_office: httpx.AsyncClient, path: str) -> None:
    answer = await head_office.get(path)
    assert answer.status_code in (400, 422), answer.text
    problem(answer)


async def test_what_is_not_there_is_not_found(head_office: httpx.AsyncClient) -> None:
    nobody, seen = new_id(), {"If-Match": '"1"'}
    answers = [
        await head_office.get(f"/offices/{nobody}"),
        await head_office.patch(f"/offices/{nobody}", json={"name": "Нет"}, headers=seen),
        await head_office.put(f"/offices/{nobody}/calendar", json={"weekly": WEEK}, headers=seen),
        await head_office.put(f"/offices/{nobody}/vat/2026-01-01", json={"rate_percent": 22}, headers=seen),
        await head_office.get(f"/staff/{nobody}"),
        await head_office.patch(f"/staff/{nobody}", json={"full_name": "Нет"}, headers=seen),
        await head_office.post(f"/staff/{nobody}/dismissal", json={"reason": "нет"}),
        await head_office.post(f"/staff/{nobody}/password", json={"password": "новый пароль"}),
        await head_office.post(f"/penalties/{nobody}/withdrawal", json={"reason": "нет"}),
    ]
    assert [(answer.status_code, problem(answer)) for answer in answers] == [(404, "not-found")] * len(answers)


async def test_a_version_that_does_not_read_is_refused(head_office: httpx.AsyncClient) -> None:
    address = f"/offices/{(await open_office(head_office)).office_id}"
    for version in ("1", "*", '"x"', '"99999999999999999999"'):
        answer = await head_office.patch(address, json={"city": "Пермь"}, headers={"If-Match": version})
        assert (answer.status_code, problem(answer)) == (400, "malformed-version"), version


async def test_a_repeated_hire_is_one_person(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    """The second answer is the first one; a person is not hired twice because a network broke."""
    body, key = staff_body("head_office"), {"Idempotency-Key": str(new_id())}
    first = await head_office.post("/staff", json=body, headers=key)
    second = await head_office.post("/staff", json=body, headers=key)
    assert (first.status_code, second.content) == (201, first.content)
    assert second.headers["etag"] == first.headers["etag"]
