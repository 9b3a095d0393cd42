"""Signing in as staff, the first account of the network, passwords, and being out after a dismissal (ORG-02)."""

import asyncio

import httpx
from sqlalchemy import func, select

from services.control.commands.staff import ensure_head_office
from services.control.models.staff import Staff
from shared.base.clock import now
from shared.identity.roles import Role
from shared.persistence.database import new_id
from shared.persistence.tables import account
from tests.integration.control.conftest import HEAD_OFFICE, hire, open_office, problem, real_tokens
from tests.support.harness import ServiceHarness

PASSWORD = "верный пароль"


async def sign_in(http: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/sessions", json={"login": login, "password": password})


def bearer(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_hired_manager_signs_in_with_a_login_in_any_case(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    person = await hire(head_office, "manager", team.office_id)
    async with real_tokens(control) as http:
        answer = await sign_in(http, person["login"].upper())
        me = (await http.get("/me", headers=bearer(answer))).json()
    assert me == {
        "id": person["id"],
        "role": "manager",
        "role_label": "менеджер",
        "office_id": team.office["id"],
        "office_name": team.office["name"],
        "name": "Иванов Иван Иванович",
    }


async def test_a_wrong_password_and_an_unknown_login_are_told_alike(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    person = await hire(head_office, "head_office")
    async with control.http() as http:
        wrong = await sign_in(http, person["login"], "неверный пароль")
        unknown = await sign_in(http, f"nobody-{new_id()}")
    assert (wrong.status_code, wrong.json()) == (401, unknown.json())


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    person = await hire(head_office, "head_office")
    async with real_tokens(control) as http:
        first = (await sign_in(http, person["login"])).json()["refresh_token"]
        rotated = await http.post("/sessions/refresh", json={"refresh_token": first})
        assert (await http.get("/me", headers=bearer(rotated))).status_code == 200
        reused = await http.post("/sessions/refresh", json={"refresh_token": first})
        assert (reused.status_code, problem(reused)) == (401, "unauthenticated")
        last = rotated.json()["refresh_token"]
        assert (await http.post("/sessions/refresh", json={"refresh_token": last})).status_code == 401


async def test_a_dismissed_manager_is_out(control: ServiceHarness, head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office)
    person = await hire(head_office, "manager", team.office_id)
    async with real_tokens(control) as http:
        answer = await sign_in(http, person["login"])
        assert (await http.get("/me", headers=bearer(answer))).status_code == 200
    dismissed = await head_office.post(f"/staff/{person['id']}/dismissal", json={"reason": "сокращение"})
    assert dismissed.status_code == 200, dismissed.text
    async with real_tokens(control) as http:
        revoked = (await http.get("/revocations")).json()["revoked"]
        assert person["id"] in {row["subject"] for row in revoked}
        assert (await http.get("/me", headers=bearer(answer))).status_code == 401
        assert (await sign_in(http, person["login"])).status_code == 401
        refresh = {"refresh_token": answer.json()["refresh_token"]}
        assert (await http.post("/sessions/refresh", json=refresh)).status_code == 401


async def test_a_new_role_ends_the_sessions_of_the_old_one(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    person = await hire(head_office, "manager", team.office_id)
    address, seen = f"/staff/{person['id']}", {"If-Match": '"1"'}
    async with real_tokens(control) as http:
        before = await sign_in(http, person["login"])
    assert (await head_office.patch(address, json={"role": "senior_manager"}, headers=seen)).status_code == 200
    async with real_tokens(control) as http:
        assert (await http.get("/me", headers=bearer(before))).status_code == 401
        after = await sign_in(http, person["login"])
        assert (await http.get("/me", headers=bearer(after))).json()["role_label"] == "старший менеджер"


async def test_a_password_is_given_anew_by_head_office_or_changed_by_its_owner(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    person = await hire(head_office, "mystery_checker")
    reset = await head_office.post(f"/staff/{person['id']}/password", json={"password": "выданный пароль"})
    assert reset.status_code == 204, reset.text
    async with real_tokens(control) as http:
        assert (await sign_in(http, person["login"])).status_code == 401
        mine = bearer(await sign_in(http, person["login"], "выданный пароль"))
        guess = {"current_password": "не тот пароль", "new_password": "собственный пароль"}
        wrong = await http.post("/me/password", json=guess, headers=mine)
        assert (wrong.status_code, problem(wrong)) == (422, "invalid")
        right = guess | {"current_password": "выданный пароль"}
        assert (await http.post("/me/password", json=right, headers=mine)).status_code == 204
        assert (await sign_in(http, person["login"], "выданный пароль")).status_code == 401
        assert (await sign_in(http, person["login"], "собственный пароль")).status_code == 200


async def test_the_first_account_of_the_network_is_there_from_the_start(control: ServiceHarness) -> None:
    async with real_tokens(control) as http:
        answer = await sign_in(http, HEAD_OFFICE["login"], HEAD_OFFICE["password"])
        me = (await http.get("/me", headers=bearer(answer))).json()
    assert (me["role"], me["office_id"], me["office_name"]) == ("head_office", None, None)


async def test_the_first_account_is_made_once_whoever_starts_again(control: ServiceHarness) -> None:
    async def start_again() -> None:
        async with control.session() as session:
            await ensure_head_office(
                session, f"second-{new_id()}", "другой пароль", "second@prodetal.example", at=now()
            )

    async def accounts() -> int:
        async with control.session() as session:
            return await session.scalar(select(func.count()).select_from(account)) or 0

    before = await accounts()
    await asyncio.gather(*(start_again() for _ in range(4)))
    assert await accounts() == before
    async with control.session() as session:
        first = await session.scalar(select(Staff).where(Staff.login == HEAD_OFFICE["login"].lower()))
    assert first is not None
    assert first.email == HEAD_OFFICE["login"]


async def test_without_signing_in_nothing_is_shown(control: ServiceHarness) -> None:
    async with control.http() as http:
        for path in ("/offices", "/staff", "/me", "/board", "/statistics", "/penalties", "/policies"):
            answer = await http.get(path)
            assert (answer.status_code, problem(answer)) == (401, "unauthenticated"), path
    async with control.http(Role.CLIENT, office_id=new_id()) as http:
        for path in ("/offices", "/staff", "/me", "/board", "/statistics", "/penalties", "/policies"):
            assert (await http.get(path)).status_code == 403, path
