"""Hiring, changing and dismissing people (ORG-02, ORG-03, ORG-04)."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.control.models.staff import Staff
from shared.contracts.control import StaffChanged
from shared.identity.roles import SENIORS, Role
from shared.persistence.database import new_id
from shared.persistence.tables import account
from tests.integration.control.conftest import hire, open_office, problem
from tests.integration.control.samples import staff_body
from tests.support.harness import ServiceHarness


async def events_of(control: ServiceHarness, staff_id: str | UUID) -> list[StaffChanged]:
    return await control.published(StaffChanged, staff_id=UUID(str(staff_id)))


async def test_a_hired_manager_is_told_to_the_network(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office)
    answer = await head_office.post("/staff", json=staff_body("manager", team.office_id, phone="8 912 000-00-00"))
    assert answer.status_code == 201, answer.text
    person = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"/api/control/staff/{person['id']}"
    assert (person["role_label"], person["phone"], person["active"]) == ("менеджер", "+79120000000", True)
    assert "password" not in answer.text
    [event] = await events_of(control, person["id"])
    assert (event.version, event.role, event.office_id, event.active) == (1, "manager", team.office_id, True)


async def test_a_login_is_taken_in_the_whole_network(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    mine, other = await open_office(head_office), await open_office(head_office)
    login = f"Ivanov-{new_id().hex}"
    assert (await hire(head_office, "manager", mine.office_id, login=login))["login"] == login.lower()
    again = await head_office.post("/staff", json=staff_body("manager", other.office_id, login=login.upper()))
    assert (again.status_code, problem(again)) == (409, "login-taken")
    async with control.session() as session:
        assert len((await session.scalars(select(Staff).where(Staff.login == login.lower()))).all()) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "manager", "office_id": None}, "укажите офис"),
        ({"role": "head_office", "office_id": str(new_id())}, "не относится к офису"),
        ({"role": "manager", "office_id": str(new_id())}, "Такого офиса нет"),
        ({"role": "client"}, "недопустимое значение"),
        ({"login": "иванов"}, "формат"),
        ({"login": "a b"}, "формат"),
        ({"password": "коротк"}, "слишком короткое"),
        ({"email": "ivanov"}, "email"),
        ({"phone": "нет"}, "телефон"),
        ({"full_name": "  "}, "слишком короткое"),
    ],
)
async def test_nobody_is_hired_with_wrong_data(
    head_office: httpx.AsyncClient, changes: dict[str, Any], message: str
) -> None:
    answer = await head_office.post("/staff", json=staff_body("head_office") | changes)
    assert (answer.status_code, problem(answer)) == (422, "invalid"), answer.text
    assert message in answer.text


async def test_nobody_is_hired_into_a_closed_office(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office)
    await head_office.patch(f"/offices/{team.office_id}", json={"active": False}, headers={"If-Match": '"1"'})
    answer = await head_office.post("/staff", json=staff_body("manager", team.office_id))
    assert (answer.status_code, problem(answer)) == (409, "office-closed")


async def test_two_directors_appointed_at_once_are_one(head_office: httpx.AsyncClient) -> None:
    """ORG-03."""
    team = await open_office(head_office)
    answers = await asyncio.gather(
        *(head_office.post("/staff", json=staff_body("director", team.office_id)) for _ in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    refused = [answer for answer in answers if answer.status_code == 409]
    assert {problem(answer) for answer in refused} == {"office-has-director"}


async def test_a_senior_becomes_director_after_the_former_one_left(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office, "director", "senior_manager")
    [director], [senior] = team.staff["director"], team.staff["senior_manager"]
    seen = {"If-Match": '"1"'}
    early = await head_office.patch(f"/staff/{senior}", json={"role": "director"}, headers=seen)
    assert (early.status_code, problem(early)) == (409, "office-has-director")
    assert (await head_office.post(f"/staff/{director}/dismissal", json={"reason": "перевод"})).status_code == 200
    promoted = await head_office.patch(f"/staff/{senior}", json={"role": "director"}, headers=seen)
    assert promoted.status_code == 200, promoted.text
    assert promoted.json()["role_label"] == "управляющий"
    assert [(event.version, event.role) for event in await events_of(control, senior)] == [
        (1, "senior_manager"),
        (2, "director"),
    ]


async def test_a_transfer_moves_the_person_with_the_account(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team, other = await open_office(head_office, "manager"), await open_office(head_office)
    [manager] = team.staff["manager"]
    body = {"office_id": other.office["id"], "full_name": "Сидоров Сидор", "phone": None, "email": None}
    moved = await head_office.patch(f"/staff/{manager}", json=body, headers={"If-Match": '"1"'})
    assert moved.json()["office_id"] == other.office["id"]
    assert moved.json()["email"] == "ivanov@prodetal.example"
    async with control.session() as session:
        row = (await session.execute(select(account).where(account.c.id == manager))).one()
    assert (row.office_id, row.name) == (other.office_id, "Сидоров Сидор")
    to_head_office = await head_office.patch(
        f"/staff/{manager}", json={"role": "head_office"}, headers={"If-Match": '"2"'}
    )
    assert (to_head_office.status_code, to_head_office.json()["office_id"]) == (200, None)


async def test_nobody_dismisses_or_demotes_themselves(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    person = await hire(head_office, "head_office")
    async with control.http(Role.HEAD_OFFICE, principal_id=UUID(person["id"])) as http:
        dismissal = await http.post(f"/staff/{person['id']}/dismissal", json={"reason": "ошибка"})
        assert (dismissal.status_code, problem(dismissal)) == (409, "conflict")
        demotion = await http.patch(
            f"/staff/{person['id']}", json={"role": "mystery_checker"}, headers={"If-Match": '"1"'}
        )
        assert (demotion.status_code, problem(demotion)) == (409, "conflict")
        renamed = await http.patch(f"/staff/{person['id']}", json={"full_name": "Я"}, headers={"If-Match": '"1"'})
        assert renamed.status_code == 200


async def test_the_network_keeps_a_head_office_account(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    """Two of the remaining dismiss each other at once: one of them stays."""
    heads = [UUID((await hire(head_office, "head_office"))["id"]) for _ in range(2)]
    async with control.session() as session:
        others = (
            await session.scalars(
                select(Staff).where(Staff.role == "head_office", Staff.active, Staff.id.not_in(heads))
            )
        ).all()
        for other in others:
            other.active = False
    try:
        answers = await asyncio.gather(
            *(head_office.post(f"/staff/{head}/dismissal", json={"reason": "спор"}) for head in heads)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        assert {problem(answer) for answer in answers if answer.status_code == 409} == {"last-head-office-account"}
    finally:
        async with control.session() as session:
            for other in others:
                (await session.get_one(Staff, other.id)).active = True


async def test_a_dismissed_one_is_not_changed_any_more(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager")
    address = f"/staff/{team.staff['manager'][0]}"
    gone = await head_office.post(f"{address}/dismissal", json={"reason": "по собственному желанию"})
    assert gone.json()["dismissal_reason"] == "по собственному желанию"
    again = await head_office.post(f"{address}/dismissal", json={"reason": "ещё раз"})
    change = await head_office.patch(address, json={"full_name": "Другой"}, headers={"If-Match": '"2"'})
    password = await head_office.post(f"{address}/password", json={"password": "новый пароль"})
    assert [answer.status_code for answer in (again, change, password)] == [409, 409, 409]


@pytest.mark.parametrize("role", SENIORS)
async def test_a_senior_sees_the_people_of_the_own_office_only(
    control: ServiceHarness, head_office: httpx.AsyncClient, role: Role
) -> None:
    """ORG-04."""
    mine = await open_office(head_office, "manager", "senior_manager")
    other = await open_office(head_office, "manager")
    boss = await hire(head_office, "head_office")
    async with control.http(role, office_id=mine.office_id) as http:
        listed = {person["id"] for person in (await http.get("/staff", params={"limit": 200})).json()["items"]}
        assert listed == {str(person) for people in mine.staff.values() for person in people}
        asked = await http.get("/staff", params={"office_id": other.office["id"]})
        assert asked.json()["items"] == []
        for hidden in (other.staff["manager"][0], boss["id"], new_id()):
            assert (await http.get(f"/staff/{hidden}")).status_code == 404
        assert (await http.post("/staff", json=staff_body("manager", mine.office_id))).status_code == 403


async def test_managers_do_not_see_personnel(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager")
    async with control.http(Role.MANAGER, office_id=team.office_id) as http:
        assert (await http.get("/staff")).status_code == 403
        assert (await http.get(f"/staff/{team.staff['manager'][0]}")).status_code == 403


async def test_the_list_of_staff_is_filtered(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager", "manager", "senior_manager")
    gone, stays = team.staff["manager"]
    await head_office.post(f"/staff/{gone}/dismissal", json={"reason": "сокращение"})

    async def ids(**query: Any) -> set[str]:
        answer = await head_office.get("/staff", params={"office_id": team.office["id"], **query})
        return {person["id"] for person in answer.json()["items"]}

    assert await ids(role="manager") == {str(gone), str(stays)}
    assert await ids(role="manager", active=True) == {str(stays)}
    assert await ids(active=False) == {str(gone)}
