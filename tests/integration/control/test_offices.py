"""Opening and changing offices (ORG-01, ORG-03, ORG-04)."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from services.control.models.offices import OfficeCalendar
from shared.contracts.control import OfficeChanged
from shared.identity.roles import OFFICE_STAFF, Role
from shared.persistence.database import new_id
from shared.persistence.tables import audit_log
from tests.integration.control.conftest import open_office, problem
from tests.integration.control.samples import WEEK, bank_account, office_body
from tests.support.harness import ServiceHarness


@pytest.mark.clause("ORG-01")
async def test_an_opened_office_is_told_whole_to_the_network(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    answer = await head_office.post("/offices", json=office_body(courier_delivery=True))
    assert answer.status_code == 201, answer.text
    office = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"].endswith(office["id"])
    assert office["phones"] == ["+73432000000"]
    assert office["vat_today_label"] == "НДС 20 %"
    assert office["acting_director_id"] is None
    [event] = [event for event in await control.published(OfficeChanged) if str(event.office_id) == office["id"]]
    told = event.model_dump(mode="json")
    for name in ("name", "city", "address", "time_zone", "phones", "email", "requisites", "bank_accounts", "vat"):
        assert told[name] == office[name], name
    assert event.version == 1
    assert event.calendar.version == 1
    assert event.calendar.time_zone == "Asia/Yekaterinburg"
    assert event.courier_delivery is True


def requisites(**changes: Any) -> dict[str, Any]:
    return {"requisites": office_body()["requisites"] | changes}


@pytest.mark.clause("ORG-01")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (requisites(inn="7707083894"), "Контрольная цифра ИНН"),
        (requisites(ogrn="1027700132196"), "Контрольная цифра ОГРН"),
        (requisites(kpp="77"), "КПП состоит"),
        (requisites(kpp=None), "КПП обязателен"),
        (requisites(ogrn="304500116000157"), "разного рода"),
        (requisites(inn="500100732259", ogrn="304500116000157"), "КПП обязателен у организации и не бывает"),
        ({"bank_accounts": [bank_account(bic="944525225")]}, "БИК"),
        ({"bank_accounts": [bank_account(bic="044525974")]}, "Ключ расчётного счёта"),
        ({"bank_accounts": [bank_account(correspondent_account="30101810500000000225")]}, "Ключ корреспондентского"),
        ({"bank_accounts": []}, "слишком мало"),
        ({"time_zone": "UTC+5"}, "неизвестный часовой пояс"),
        ({"phones": ["звоните"]}, "Это не похоже на номер телефона"),
        ({"email": "mira45"}, ""),
        ({"vat": [{"effective_from": "2025-01-01", "rate_percent": rate} for rate in (20, 22)]}, "две ставки"),
        ({"calendar": {"weekly": [[]] * 7}}, "хотя бы один рабочий день"),
        ({"calendar": {"weekly": WEEK, "time_zone": "Europe/Moscow"}}, "не совпадает с поясом офиса"),
        ({"calendar": {"weekly": WEEK, "exceptions": {"0001-01-01": []}}}, ""),
        ({"name": "\0"}, "нулевой символ"),
        ({"surprise": 1}, "лишнее поле"),
    ],
)
async def test_an_office_with_wrong_data_is_not_opened(
    head_office: httpx.AsyncClient, changes: dict[str, Any], message: str
) -> None:
    answer = await head_office.post("/offices", json=office_body(**changes))
    assert answer.status_code == 422, answer.text
    assert problem(answer) == "invalid"
    assert message in answer.text


async def test_an_entrepreneur_may_own_an_office(head_office: httpx.AsyncClient) -> None:
    owner = requisites(legal_name="ИП Иванов", inn="500100732259", ogrn="304500116000157", kpp=None)
    assert (await head_office.post("/offices", json=office_body(**owner))).status_code == 201


async def test_only_the_named_fields_of_an_office_change(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    address = f"/offices/{team.office_id}"
    answer = await head_office.patch(address, json={"name": "ПроДеталь-Мира 46"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    changed = {name for name, value in answer.json().items() if value != team.office[name]}
    assert changed == {"name", "version", "changed_at"}
    events = [event for event in await control.published(OfficeChanged) if event.office_id == team.office_id]
    assert [(event.version, event.name) for event in events] == [(1, "ПроДеталь-Мира 45"), (2, "ПроДеталь-Мира 46")]


async def test_nobody_overwrites_a_version_they_have_not_seen(head_office: httpx.AsyncClient) -> None:
    address = f"/offices/{(await open_office(head_office)).office_id}"
    assert (await head_office.patch(address, json={})).status_code == 428
    assert (await head_office.patch(address, json={"city": "Пермь"}, headers={"If-Match": '"9"'})).status_code == 412
    assert (await head_office.put(f"{address}/calendar", json={"weekly": WEEK})).status_code == 428
    stale = await head_office.put(f"{address}/vat/2026-01-01", json={"rate_percent": 22}, headers={"If-Match": '"2"'})
    assert stale.status_code == 412


@pytest.mark.clause("ORG-01")
async def test_a_new_calendar_is_the_next_version_and_the_former_is_kept(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    address = f"/offices/{team.office_id}"
    round_the_clock = {"weekly": [[["00:00", "24:00"]]] * 7, "version": 77}
    answer = await head_office.put(f"{address}/calendar", json=round_the_clock, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert answer.json()["calendar"]["version"] == 2
    moved = await head_office.patch(address, json={"time_zone": "Europe/Moscow"}, headers={"If-Match": '"2"'})
    assert moved.status_code == 200, moved.text
    versions = (await head_office.get(f"{address}/calendars")).json()["items"]
    assert [(row["version"], row["calendar"]["time_zone"]) for row in versions] == [
        (3, "Europe/Moscow"),
        (2, "Asia/Yekaterinburg"),
        (1, "Asia/Yekaterinburg"),
    ]
    assert [row["calendar"]["weekly"][6] for row in versions] == [[["00:00", "24:00"]], [["00:00", "24:00"]], []]
    events = [event for event in await control.published(OfficeChanged) if event.office_id == team.office_id]
    assert [event.calendar.version for event in events] == [1, 2, 3]
    async with control.session() as session:
        kept = await session.scalars(select(OfficeCalendar.version).where(OfficeCalendar.office_id == team.office_id))
        assert sorted(kept) == [1, 2, 3]


async def test_a_vat_rate_holds_from_its_date_on(head_office: httpx.AsyncClient) -> None:
    address = f"/offices/{(await open_office(head_office)).office_id}"
    later = await head_office.put(f"{address}/vat/2199-01-01", json={"rate_percent": 22}, headers={"If-Match": '"1"'})
    assert later.json()["vat_today_label"] == "НДС 20 %"
    without = await head_office.put(
        f"{address}/vat/2025-01-01", json={"rate_percent": None}, headers={"If-Match": '"2"'}
    )
    assert without.json()["vat_today_label"] == "без НДС"
    assert without.json()["vat"] == [
        {"effective_from": "2025-01-01", "rate_percent": None},
        {"effective_from": "2199-01-01", "rate_percent": 22},
    ]


async def test_an_office_with_people_is_not_closed(head_office: httpx.AsyncClient) -> None:
    team = await open_office(head_office, "manager")
    address = f"/offices/{team.office_id}"
    refused = await head_office.patch(address, json={"active": False}, headers={"If-Match": '"1"'})
    assert (refused.status_code, problem(refused)) == (409, "office-has-staff")
    await head_office.post(f"/staff/{team.staff['manager'][0]}/dismissal", json={"reason": "по собственному желанию"})
    closed = await head_office.patch(address, json={"active": False}, headers={"If-Match": '"1"'})
    assert closed.json()["active"] is False


@pytest.mark.parametrize("role", OFFICE_STAFF)
async def test_staff_see_their_own_office_only(
    control: ServiceHarness, head_office: httpx.AsyncClient, role: Role
) -> None:
    mine, other = await open_office(head_office), await open_office(head_office)
    async with control.http(role, office_id=mine.office_id) as http:
        listed = (await http.get("/offices")).json()["items"]
        assert [office["id"] for office in listed] == [mine.office["id"]]
        assert (await http.get(f"/offices/{mine.office_id}")).status_code == 200
        for path in (f"/offices/{other.office_id}", f"/offices/{other.office_id}/calendars", f"/offices/{new_id()}"):
            hidden = await http.get(path)
            assert (hidden.status_code, problem(hidden)) == (404, "not-found"), path
        assert (await http.post("/offices", json=office_body())).status_code == 403


async def test_the_list_of_offices_is_paged_and_filtered(head_office: httpx.AsyncClient) -> None:
    city = f"Город {new_id()}"
    made = [(await open_office(head_office, city=city, name=f"Офис {number}")).office["id"] for number in range(5)]
    seen, cursor = [], None
    while True:
        query = {"city": city, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await head_office.get("/offices", params=query)).json()
        seen += [office["id"] for office in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == made


async def test_the_director_or_else_the_senior_answers_for_the_office(head_office: httpx.AsyncClient) -> None:
    """ORG-03."""
    team = await open_office(head_office, "manager", "senior_manager", "manager")
    office = (await head_office.get(f"/offices/{team.office_id}")).json()
    assert office["acting_director_id"] == str(team.staff["senior_manager"][0])
    assert office["acting_director_role_label"] == "старший менеджер"
    other = await open_office(head_office, "senior_manager", "director")
    office = (await head_office.get(f"/offices/{other.office_id}")).json()
    assert office["acting_director_id"] == str(other.staff["director"][0])
    assert office["acting_director_role_label"] == "управляющий"


async def test_what_head_office_does_to_an_office_is_audited(
    control: ServiceHarness, head_office: httpx.AsyncClient
) -> None:
    team = await open_office(head_office)
    await head_office.patch(f"/offices/{team.office_id}", json={"city": "Пермь"}, headers={"If-Match": '"1"'})
    async with control.session() as session:
        rows = await session.execute(
            select(audit_log.c.action, audit_log.c.actor_role).where(audit_log.c.office_id == team.office_id)
        )
    assert sorted(tuple(row) for row in rows) == [("office.changed", "head_office"), ("office.opened", "head_office")]
