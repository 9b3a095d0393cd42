"""Lines, offers, refusals, questions, corrections (VIN-02, VIN-03, VIN-04, VIN-06, VIN-07, VIN-08, VIN-09, K17)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.base.clock import now
from shared.contracts.vin import VinRequestAnswered
from shared.identity.roles import Role
from shared.persistence.database import new_id
from tests.integration.vin.conftest import Office, offer, problem

QUESTION = "Подскажите, пожалуйста, объём двигателя Вашего автомобиля"


@pytest.mark.clause("VIN-04", "VIN-09")
async def test_an_answer_reaches_the_cabinet_and_says_who_chose_the_parts(office: Office) -> None:
    request = await office.request("Колодки передние", "Фильтр масляный", "Значок на крышку")
    front = [offer(price="1500.50", term_days=2), offer(article="P 85 020", brand="Brembo", price=2100)]
    request = await office.write(request, 0, {"offers": front})
    request = await office.write(request, 1, {"offers": [offer(article="OC 90", brand="Knecht", comment="1 шт.")]})
    request = await office.write(request, 2, {"refusal": {"reason_code": "discontinued"}})
    async with office.client() as http:
        before = (await http.get(f"/requests/{request['id']}")).json()
        assert [line["kind"] for line in before["lines"]] == ["open", "open", "open"], "a draft is not shown"
        given = await office.post(request, "answer", {"notify_client": True})
        assert given.status_code == 200, given.text
        seen = (await http.get(f"/requests/{request['id']}")).json()
    assert [line["kind"] for line in seen["lines"]] == ["offers", "offers", "refusal"]
    assert [item["article"] for item in seen["lines"][0]["offers"]] == ["GDB1550", "P 85 020"]
    assert [item["price"] for item in seen["lines"][0]["offers"]] == ["1500.50", "2100.00"]
    assert seen["lines"][2]["refusal_reason"] == "Снято с производства"
    assert seen["lines"][2]["refusal_comment"].startswith("К сожалению")
    assert (seen["state"], seen["state_label"]) == ("answered", "Дан ответ")
    assert seen["answer"]["answered_by"] == str(office.manager_id)
    assert seen["answer"]["answered_by_name"] == "Иванов Иван Иванович"


async def test_the_event_of_an_answer_carries_all_that_a_mail_and_a_basket_need(office: Office) -> None:
    request = await office.answered("Колодки", notify_client=False)
    (event,) = await office.vin.published(VinRequestAnswered, request_id=UUID(request["id"]))
    assert (event.office_id, event.client_id, event.answered_by) == (office.id, office.client_id, office.manager_id)
    assert (event.version, event.number, event.notify_client) == (request["version"], request["number"], False)
    assert event.answer_number == 1
    (line,) = event.lines
    assert str(line.line_id) == request["lines"][0]["id"]
    assert [str(item.offer_id) for item in line.offers] == [request["lines"][0]["offers"][0]["offer_id"]]


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"article": "GDB1550, GDB1551"}, "several-articles"),
        ({"article": "333114/11²"}, "not-an-article"),
        ({"article": "GDB1550/GDB1551"}, "several-articles"),
        ({"article": "GDB1550 GDB1551"}, "several-articles"),
        ({"article": "GDB1550\nGDB1551"}, "several-articles"),
        ({"article": "GDB1550 или GDB1551"}, "several-articles"),
        ({"comment": "Есть также GDB1551"}, "several-articles"),
        ({"article": "уточните у нас"}, "not-an-article"),
        ({"brand": "TRW/Bosch"}, "several-makers"),
        ({"brand": "аналог"}, "not-a-maker"),
        ({"comment": "Вопрос решен по телефону"}, "comment-not-addressed"),
    ],
)
async def test_the_most_frequent_mistakes_are_refused(office: Office, changes: dict[str, Any], code: str) -> None:
    request = await office.request()
    answer = await office.put(request, 0, {"offers": [offer(**changes)]})
    assert (answer.status_code, problem(answer)) == (422, code)
    assert (await office.show(request["id"]))["lines"][0]["kind"] == "open"


async def test_articles_with_spaces_hyphens_and_slashes_pass(office: Office) -> None:
    request = await office.request()
    real = [("06A 115 561 B", "VAG"), ("K015603XS", "Gates"), ("LX 1566/4", "Knecht"), ("90915-YZZE1", "Toyota")]
    offers = [offer(article=article, brand=brand) for article, brand in real]
    request = await office.write(request, 0, {"offers": offers})
    assert [item["article"] for item in request["lines"][0]["offers"]] == [article for article, _ in real]


async def test_the_cheapest_offer_is_read_first_when_the_client_wants_the_minimum_price(office: Office) -> None:
    request = await office.request(preference="minimum_price")
    offers = [offer(price="900"), offer(article="P 85 020", brand="Brembo"), offer(brand="ATE", price="250.50")]
    request = await office.write(request, 0, {"offers": offers})
    assert [item["price"] for item in request["lines"][0]["offers"]] == ["250.50", "900.00", None]


@pytest.mark.clause("VIN-02")
async def test_a_client_who_wants_originals_is_told_why_there_is_none(office: Office) -> None:
    request = await office.request(preference="original_only")
    refused = await office.put(request, 0, {"offers": [offer()]})
    assert (refused.status_code, problem(refused)) == (422, "preference-not-honoured")
    note = "К сожалению, оригинал больше не выпускают, предлагаем Вам замену"
    request = await office.write(request, 0, {"offers": [offer()], "preference_note": note})
    assert request["lines"][0]["preference_note"] == note
    request = await office.write(request, 0, {"offers": [offer(original=True)]})
    assert request["lines"][0]["preference_note"] is None


@pytest.mark.clause("VIN-06")
@pytest.mark.parametrize("code", ["side_not_given", "accessory"])
async def test_an_excuse_is_not_among_the_allowed_reasons(office: Office, code: str) -> None:
    answer = await office.put(await office.request(), 0, {"refusal": {"reason_code": code}})
    assert (answer.status_code, problem(answer)) == (422, "invalid-refusal-reason")


async def test_an_excuse_in_the_words_of_an_allowed_reason_is_refused(office: Office) -> None:
    refusal = {"reason_code": "no_supplier", "comment": "К сожалению, Вы не указали сторону"}
    answer = await office.put(await office.request(), 0, {"refusal": refusal})
    assert (answer.status_code, problem(answer)) == (422, "invalid-refusal-reason")


async def test_an_unknown_reason_is_refused(office: Office) -> None:
    answer = await office.put(await office.request(), 0, {"refusal": {"reason_code": "lazy"}})
    assert (answer.status_code, problem(answer)) == (422, "invalid")


@pytest.mark.clause("VIN-07")
async def test_a_question_is_allowed_after_an_unanswered_call(office: Office) -> None:
    request = await office.request()
    call_id = await office.call("no_answer")
    request = await office.write(request, 0, {"question": {"text": QUESTION, "call_attempt_id": str(call_id)}})
    assert (request["lines"][0]["kind"], request["lines"][0]["question"]) == ("question", QUESTION)
    given = await office.post(request, "answer", {"notify_client": False})
    assert given.status_code == 200
    (event,) = await office.vin.published(VinRequestAnswered, request_id=UUID(request["id"]))
    assert event.lines[0].question == QUESTION
    assert event.notify_client, "a client who does not answer the phone is asked by e-mail in any case (VIN-07)"


@pytest.mark.clause("VIN-07")
async def test_a_question_without_an_unanswered_call_to_this_client_is_refused(office: Office) -> None:
    request = await office.request()
    of_another = Office(office.vin, id=office.id)
    calls = [
        new_id(),
        await office.call("reached", now() - timedelta(days=1)),
        await office.call("cannot_talk"),
        await of_another.call("no_answer"),
        await office.call("no_answer", now() - timedelta(days=1)),
    ]
    for call_id in calls:
        answer = await office.put(request, 0, {"question": {"text": QUESTION, "call_attempt_id": str(call_id)}})
        assert (answer.status_code, problem(answer)) == (409, "call-not-logged")


@pytest.mark.clause("VIN-07")
async def test_a_client_who_was_reached_since_is_asked_by_phone(office: Office) -> None:
    request = await office.request()
    missed = await office.call("no_answer")
    await office.call("reached", now() + timedelta(seconds=1))
    answer = await office.put(request, 0, {"question": {"text": QUESTION, "call_attempt_id": str(missed)}})
    assert (answer.status_code, problem(answer)) == (409, "call-not-logged")


@pytest.mark.clause("K17")
async def test_an_incomplete_answer_is_not_given(office: Office) -> None:
    request = await office.request("Колодки", "Диски")
    request = await office.write(request, 0, {"offers": [offer()]})
    answer = await office.post(request, "answer", {})
    assert (answer.status_code, problem(answer)) == (409, "answer-incomplete")
    assert answer.json()["open_lines"] == [2]
    assert not await office.vin.published(VinRequestAnswered, request_id=UUID(request["id"]))


@pytest.mark.clause("K17")
async def test_a_line_has_one_kind_of_answer_the_last_one_written(office: Office) -> None:
    request = await office.request()
    call_id = await office.call("no_answer")
    request = await office.write(request, 0, {"question": {"text": QUESTION, "call_attempt_id": str(call_id)}})
    request = await office.write(request, 0, {"refusal": {"reason_code": "no_supplier"}})
    assert (request["lines"][0]["kind"], request["lines"][0]["question"]) == ("refusal", None)
    request = await office.write(request, 0, {"offers": [offer()]})
    line = request["lines"][0]
    assert (line["kind"], line["refusal_code"], line["refusal_comment"]) == ("offers", None, None)
    assert (line["chosen_by"], line["chosen_by_name"]) == (str(office.manager_id), "Иванов Иван Иванович")


@pytest.mark.clause("K17")
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"offers": []},
        {"offers": [offer()], "refusal": {"reason_code": "no_supplier"}},
        {"refusal": {"reason_code": "no_supplier"}, "preference_note": "Предлагаем Вам замену"},
        {"offers": [offer(price=0)]},
        {"offers": [offer(price="-1")]},
        {"offers": [offer(price="NaN")]},
        {"offers": [offer(price=10**30)]},
        {"offers": [offer(price="1.005")]},
        {"offers": [offer(term_days=10**12)]},
        {"offers": [offer(term_days=-1)]},
        {"offers": [offer(article="")]},
        {"offers": [offer(article="GDB1550\x00")]},
        {"offers": [offer(extra=1)]},
        {"offers": [offer()] * 21},
        {"question": {"text": QUESTION, "call_attempt_id": "1"}},
        {"question": {"text": QUESTION}},
        {"refusal": {"reason_code": "no'; drop"}},
        [],
        "text",
        None,
    ],
)
async def test_bad_input_for_a_line_is_a_problem_of_the_caller(office: Office, body: Any) -> None:
    answer = await office.put(await office.request(), 0, body)
    assert answer.status_code == 422, answer.text
    problem(answer)


async def test_nobody_overwrites_what_they_have_not_seen(office: Office) -> None:
    request = await office.request("Колодки", "Диски")
    await office.write(request, 0, {"offers": [offer()]})
    stale = await office.put(request, 0, {"refusal": {"reason_code": "no_supplier"}})
    assert (stale.status_code, problem(stale)) == (412, "stale-version")
    async with office.manager() as http:
        path = f"/requests/{request['id']}/lines/{request['lines'][0]['id']}"
        assert (await http.put(path, json={"offers": [offer()]})).status_code == 428
        assert (await http.delete(path)).status_code == 428
        shown = await http.get(f"/requests/{request['id']}")
    assert shown.headers["etag"] == f'"{shown.json()["version"]}"' != f'"{request["version"]}"'


async def test_of_two_managers_who_answer_at_once_one_gives_the_answer(office: Office) -> None:
    request = await office.request()
    request = await office.write(request, 0, {"offers": [offer()]})
    answers = await asyncio.gather(*(office.post(request, "answer", {}) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len(await office.vin.published(VinRequestAnswered, request_id=UUID(request["id"]))) == 1


async def test_lines_added_at_once_are_all_kept(office: Office) -> None:
    request = await office.request()
    added = await asyncio.gather(*(office.post(request, "lines", {"text": f"Деталь {n}"}) for n in range(4)))
    assert {answer.status_code for answer in added} == {201}
    assert [line["ordinal"] for line in (await office.show(request["id"]))["lines"]] == [1, 2, 3, 4, 5]


@pytest.mark.clause("VIN-03")
async def test_a_line_that_asks_for_two_parts_is_split_in_two(office: Office) -> None:
    request = await office.request("Колодки и диски")
    for text in ("Колодки", "Диски"):
        added = await office.post(request, "lines", {"text": text, "quantity": 2})
        assert added.status_code == 201, added.text
        request = added.json()
    async with office.manager() as http:
        path = f"/requests/{request['id']}/lines/{request['lines'][0]['id']}"
        deleted = await http.delete(path, headers={"If-Match": f'"{request["version"]}"'})
    assert deleted.status_code == 200
    assert [(line["ordinal"], line["text"]) for line in deleted.json()["lines"]] == [(1, "Колодки"), (2, "Диски")]


async def test_the_last_line_stays(office: Office) -> None:
    request = await office.request()
    async with office.manager() as http:
        path = f"/requests/{request['id']}/lines/{request['lines'][0]['id']}"
        answer = await http.delete(path, headers={"If-Match": f'"{request["version"]}"'})
    assert (answer.status_code, problem(answer)) == (409, "last-line")


async def test_an_answered_request_is_changed_only_by_a_correction(office: Office) -> None:
    request = await office.answered("Колодки", "Диски")
    put = await office.put(request, 0, {"refusal": {"reason_code": "no_supplier"}})
    again = await office.post(request, "answer", {})
    added = await office.post(request, "lines", {"text": "Фильтр"})
    assert {problem(answer) for answer in (put, again, added)} == {"request-answered"}
    assert {answer.status_code for answer in (put, again, added)} == {409}


@pytest.mark.clause("VIN-09")
async def test_a_correction_replaces_the_answer_with_a_newer_version(office: Office) -> None:
    request = await office.answered("Колодки")
    reopened = await office.post(request, "correction", {"reason": "Подобрали на другую ось"})
    assert (reopened.status_code, reopened.json()["state"]) == (200, "correcting")
    draft = await office.write(reopened.json(), 0, {"offers": [offer(article="GDB1551")]})
    async with office.client() as http:
        former = (await http.get(f"/requests/{request['id']}")).json()
        assert former["lines"][0]["offers"][0]["article"] == "GDB1550", "the former answer is shown meanwhile"
        assert former["correction_reason"] is None
    assert (await office.post(draft, "answer", {"notify_client": True})).status_code == 200
    async with office.client() as http:
        corrected = (await http.get(f"/requests/{request['id']}")).json()
        history = (await http.get(f"/requests/{request['id']}/answers")).json()
    assert corrected["lines"][0]["offers"][0]["article"] == "GDB1551"
    assert [answer["lines"][0]["offers"][0]["article"] for answer in history] == ["GDB1550", "GDB1551"]
    first, second = await office.vin.published(VinRequestAnswered, request_id=UUID(request["id"]))
    assert second.version > first.version
    assert (first.answer_number, second.answer_number) == (1, 2)


async def test_there_is_nothing_to_correct_before_the_answer(office: Office) -> None:
    answer = await office.post(await office.request(), "correction", {"reason": "Ошибка"})
    assert (answer.status_code, problem(answer)) == (409, "illegal-transition")


async def test_only_the_office_s_staff_answer(office: Office) -> None:
    request = await office.request()
    path = f"/requests/{request['id']}"
    line = f"{path}/lines/{request['lines'][0]['id']}"
    version = {"If-Match": f'"{request["version"]}"'}
    async with office.client() as client, office.vin.http(Role.HEAD_OFFICE) as head_office:
        for http in (client, head_office):
            assert (await http.put(line, json={"offers": [offer()]}, headers=version)).status_code == 403
            assert (await http.delete(line, headers=version)).status_code == 403
            assert (await http.post(f"{path}/lines", json={"text": "Диски"})).status_code == 403
            assert (await http.post(f"{path}/answer", json={})).status_code == 403
            assert (await http.post(f"{path}/correction", json={"reason": "Ошибка"})).status_code == 403


async def test_another_office_s_manager_finds_neither_request_nor_line(office: Office) -> None:
    request = await office.request()
    path = f"/requests/{request['id']}"
    line = f"{path}/lines/{request['lines'][0]['id']}"
    version = {"If-Match": f'"{request["version"]}"'}
    async with Office(office.vin).manager() as http:
        answers = [
            await http.get(path),
            await http.get(f"{path}/answers"),
            await http.put(line, json={"offers": [offer()]}, headers=version),
            await http.delete(line, headers=version),
            await http.post(f"{path}/lines", json={"text": "Диски"}),
            await http.post(f"{path}/answer", json={}),
            await http.post(f"{path}/correction", json={"reason": "Ошибка"}),
        ]
    assert {answer.status_code for answer in answers} == {404}
    async with office.client(new_id()) as http:
        assert (await http.get(path)).status_code == 404


async def test_a_line_of_another_request_is_not_found(office: Office) -> None:
    request, other = await office.request(), await office.request()
    mixed = {**request, "lines": other["lines"]}
    assert (await office.put(mixed, 0, {"offers": [offer()]})).status_code == 404
