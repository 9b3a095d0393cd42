"""The web kernel without servers: cursors, versions, keys, who may call, what a problem says, what is storable."""

import base64
import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Column, Date, DateTime, Integer, MetaData, Numeric, String, Table, Uuid
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.base.errors import Conflict, Forbidden, NotFound, PreconditionFailed, PreconditionRequired, Unauthenticated
from shared.identity.roles import Principal, Role
from shared.persistence.scope import NETWORK, Scope
from shared.vocabulary.fields import one_line
from shared.web import idempotency, pagination, problems, versions
from shared.web.access import (
    NO_IDEMPOTENCY_KEY,
    Access,
    Public,
    allow,
    bearer_token,
    before_transaction,
    public,
)
from shared.web.middleware import RequestContext
from shared.web.models import Input, Price, ShortText, storable
from shared.web.openapi import describe
from shared.web.pagination import BadCursor
from shared.web.route import TransactionRoute

ID = UUID(int=1)
TABLE = Table(
    "rows",
    MetaData(),
    Column("day", Date),
    Column("moment", DateTime(timezone=True)),
    Column("id", Uuid),
    Column("number", Integer),
    Column("price", Numeric),
    Column("name", String),
)
MOMENT = datetime(2026, 3, 16, 9, tzinfo=UTC)
VALUES = [date(2026, 3, 16), MOMENT, ID, -7, Decimal("1.50"), "Имя"]


def request(path: str = "/orders", method: str = "POST", body: bytes = b"", query: str = "", **headers: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": raw}
    return Request({**scope, "server": ("service", 80), "scheme": "http"}, receive)


class Row(BaseModel):
    name: str


# ── Cursors ──


def cursor_of(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def test_a_cursor_survives_its_text() -> None:
    text = pagination._encode(VALUES)
    assert not text.endswith("=")
    assert json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == [
        *("2026-03-16", "2026-03-16T09:00:00+00:00", str(ID)),
        *("-7", "1.50", "Имя"),
    ]
    assert pagination._decode(text, list(TABLE.c)) == VALUES
    for length in range(1, 9):
        assert pagination._decode(pagination._encode(["x" * length]), [TABLE.c.name]) == ["x" * length]


def test_a_moment_of_another_zone_is_read_in_utc() -> None:
    [found] = pagination._decode(cursor_of("2026-03-16T14:00:00+05:00"), [TABLE.c.moment])
    assert (found, found.tzinfo) == (MOMENT, UTC)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("name", ["a", "b"]),
        ("name", []),
        ("name", [1]),
        ("name", ["a\x00"]),
        ("name", ["\ud800"]),
        ("number", ["1.5"]),
        ("number", [str(2**63)]),
        ("number", [str(-(2**63))]),
        ("id", ["1"]),
        ("price", ["1,5"]),
        ("day", ["16.03.2026"]),
        ("moment", ["2026-03-16T09:00:00"]),
        ("moment", ["0001-01-01T00:00:00+05:00"]),
    ],
)
def test_a_cursor_of_other_values_is_refused(column: str, values: list[Any]) -> None:
    with pytest.raises(BadCursor, match="Начните список сначала"):
        pagination._decode(cursor_of(*values), [TABLE.c[column]])


@pytest.mark.parametrize(
    "cursor", ["", "!", "bm8", cursor_of("a")[:-3], base64.urlsafe_b64encode(b'{"a":"b"}').decode()]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        pagination._decode(cursor, [TABLE.c.name])


def test_the_largest_numbers_are_read() -> None:
    largest = 2**63 - 1
    for number in (largest, -largest):
        assert pagination._decode(cursor_of(str(number)), [TABLE.c.number]) == [number]


def sql(directions: list[bool]) -> str:
    columns = [TABLE.c.number, TABLE.c.name, TABLE.c.id][: len(directions)]
    compiled = pagination._after(columns, directions, [1, "a", ID][: len(directions)]).compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return " ".join(str(compiled).replace("rows.", "").replace(str(ID), "I").split())


def test_the_next_page_begins_beyond_the_cursor() -> None:
    assert sql([False]) == "number >= 1 AND number > 1"
    assert sql([True]) == "number <= 1 AND number < 1"
    assert sql([False, True]) == "number >= 1 AND (number > 1 OR number = 1 AND name < 'a')"
    three = "number <= 1 AND (number < 1 OR number = 1 AND name > 'a' OR number = 1 AND name = 'a' AND id > 'I')"
    assert sql([True, False, False]) == three


def test_a_key_column_is_found_in_the_entity_or_the_row() -> None:
    class Entity:
        name = "Имя"

    assert pagination._value(Entity(), TABLE.c.name) == "Имя"
    assert pagination._value((object(), Entity()), TABLE.c.name) == "Имя"
    assert pagination._column(TABLE.c.name.desc()) is TABLE.c.name
    assert pagination._column(TABLE.c.name) is TABLE.c.name
    found = [pagination._is_descending(part) for part in (TABLE.c.name, TABLE.c.name.desc(), TABLE.c.name.asc())]
    assert found == [False, True, False]


# ── Versions ──


@pytest.mark.parametrize(
    ("header", "version"), [('"3"', 3), ('W/"3"', 3), (' "3" ', 3), ('"' + "9" * 18 + '"', 10**18 - 1)]
)
async def test_a_version_is_read(header: str, version: int) -> None:
    assert await versions._if_match(header) == version


@pytest.mark.parametrize("header", ["3", '"x"', '""', '"1", "2"', '"' + "9" * 19 + '"', "*"])
async def test_another_version_is_refused(header: str) -> None:
    with pytest.raises(versions.MalformedVersion, match='например "3"'):
        await versions._if_match(header)


async def test_a_version_is_required_set_and_compared() -> None:
    with pytest.raises(PreconditionRequired, match="её даёт ETag"):
        await versions._if_match(None)
    response = Response()
    versions.set_etag(response, 3)
    assert response.headers["ETag"] == '"3"'
    versions.check_version(3, 3)
    with pytest.raises(PreconditionFailed, match="версия 4, вы видели 3") as stale:
        versions.check_version(4, 3)
    assert stale.value.members == {"version": 4}


# ── Who may call ──


@pytest.mark.parametrize(("header", "token"), [("Bearer a.b", "a.b"), ("bearer  a.b ", "a.b")])
def test_the_token_stands_behind_its_scheme(header: str, token: str) -> None:
    assert bearer_token(request(authorization=header)) == token


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic a.b", "a.b"])
def test_without_a_token_the_caller_has_to_sign_in(header: str) -> None:
    with pytest.raises(Unauthenticated, match="нужен заголовок Authorization"):
        bearer_token(request(authorization=header))
    with pytest.raises(Unauthenticated):
        bearer_token(request())


def test_a_route_draws_its_lock_and_refuses_other_roles() -> None:
    access = allow(Role.MANAGER, Role.DIRECTOR).dependency
    assert isinstance(access, Access)
    assert access.roles == {Role.MANAGER, Role.DIRECTOR}
    assert (access.scheme_name, access.auto_error) == ("bearer", False)
    assert access.model.bearerFormat == "JWT"  # type: ignore[attr-defined]
    access.check(Principal(ID, Role.MANAGER, ID, "Имя"))
    with pytest.raises(Forbidden, match="Роли «клиент» это действие недоступно"):
        access.check(Principal(ID, Role.CLIENT, ID, "Имя"))


@pytest.mark.clause("ORG-04")
@pytest.mark.parametrize(
    ("role", "scope"),
    [
        (Role.HEAD_OFFICE, NETWORK),
        (Role.SERVICE, NETWORK),
        (Role.CLIENT, Scope("client", UUID(int=2), ID)),
        (Role.MANAGER, Scope("office", UUID(int=2))),
        (Role.MYSTERY_CHECKER, Scope("office", UUID(int=2))),
    ],
)
def test_everybody_sees_their_own(role: Role, scope: Scope) -> None:
    assert Principal(ID, role, UUID(int=2), "Имя").scope == scope


# ── Idempotency keys ──


@pytest.mark.parametrize("key", ["", "k" * 201, "ключ".encode().decode("latin-1"), "a\tb"])
async def test_a_key_is_short_and_printable(key: str) -> None:
    with pytest.raises(idempotency.KeyRequired, match="от 1 до 200 печатных символов ASCII"):
        await idempotency.read(request(idempotency_key=key), None)
    with pytest.raises(idempotency.KeyRequired):
        await idempotency.read(request(), None)


async def test_a_claim_names_caller_route_and_content() -> None:
    claim = await idempotency.read(request(body=b"body", query="a=1", idempotency_key="k" * 200), None)
    assert claim.scope == "public POST /orders"
    assert claim.key == "k" * 200
    assert claim.request_hash == hashlib.sha256(b"bodya=1").digest()
    caller = Principal(ID, Role.CLIENT, None, "Имя")
    assert (await idempotency.read(request(idempotency_key="k"), caller)).scope == f"{ID} POST /orders"


# ── Routes ──


async def nothing() -> None: ...


def route(*dependencies: Any, **options: Any) -> TransactionRoute:
    return TransactionRoute("/rows", nothing, dependencies=[allow(Role.MANAGER), *dependencies], **options)


def test_what_changes_something_needs_a_key() -> None:
    assert route(methods={"POST"}).needs_key
    assert route(methods={"POST"}).openapi_extra == {"parameters": [idempotency.PARAMETER]}
    assert not route(NO_IDEMPOTENCY_KEY, methods={"POST"}).needs_key
    for methods in ({"GET"}, {"PUT"}, None):
        quiet = route(methods=methods)
        assert not quiet.needs_key
        assert quiet.openapi_extra is None


def test_a_route_says_once_who_may_call_it() -> None:
    with pytest.raises(TypeError, match="/rows: a route says who may call it"):
        TransactionRoute("/rows", nothing)
    with pytest.raises(TypeError):
        route(public())
    assert isinstance(TransactionRoute("/rows", nothing, dependencies=[public()]).access, Public)


def test_work_before_the_transaction_is_found() -> None:
    async def ask(_: Request) -> str:
        return "answer"

    assert route(before_transaction(ask)).before is ask
    assert route().before is None


async def test_only_http_gets_a_request_context() -> None:
    passed: list[Any] = []

    async def inner(*arguments: Any) -> None:
        passed.extend(arguments)

    scope: dict[str, Any] = {"type": "lifespan"}
    await RequestContext(inner, "sample")(scope, receive_nothing, send_nothing)
    assert passed == [scope, receive_nothing, send_nothing]


async def receive_nothing() -> Any: ...


async def send_nothing(_: Any) -> None: ...


# ── Problems ──


def told(response: Response) -> dict[str, Any]:
    assert response.media_type == "application/problem+json"
    body: dict[str, Any] = json.loads(bytes(response.body))
    assert body["status"] == response.status_code
    return body


def test_a_business_error_is_a_problem_with_its_members_and_headers() -> None:
    response = problems.from_business_error(idempotency.InProgress("Подождите.", attempt=2))
    assert told(response) == {
        "type": "urn:reglament:problem:request-in-progress",
        "title": "Такой же запрос ещё выполняется",
        "status": 409,
        "detail": "Подождите.",
        "attempt": 2,
    }
    assert response.headers["Retry-After"] == "1"


def test_fields_are_named_and_their_mistakes_said_in_russian() -> None:
    errors = [
        {"type": "missing", "loc": ("body", "lines", 0, "price")},
        {"type": "value_error", "loc": ("body",), "ctx": {"error": ValueError("своими словами")}},
        {"type": "value_error", "loc": ("body",), "ctx": {"error": "x"}},
        {"type": "unheard_of", "loc": ()},
    ]
    assert problems._errors(errors) == [
        {"location": "body.lines.0.price", "message": "обязательное поле"},
        {"location": "body", "message": "своими словами"},
        {"location": "body", "message": "недопустимое значение"},
        {"location": "", "message": "недопустимое значение"},
    ]


async def test_all_mistakes_are_listed_and_five_are_said() -> None:
    errors = [{"type": "missing", "loc": ("body", f"f{number}")} for number in range(6)]
    errors.append({"type": "missing", "loc": ("\ud800",)})
    body = told(await problems._on_validation_error(request(), RequestValidationError(errors)))
    assert body["type"] == "urn:reglament:problem:invalid"
    assert body["title"] == "Проверьте данные"
    assert body["detail"] == "; ".join(f"body.f{number}: обязательное поле" for number in range(5))
    assert len(body["errors"]) == 7
    assert body["errors"][6] == {"location": "?", "message": "обязательное поле"}
    alone = told(await problems._on_validation_error(request(), RequestValidationError(errors[6:])))
    assert alone["detail"] == "?: обязательное поле"


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (404, "not-found", "Не найдено"),
        (405, "method-not-allowed", "Метод не поддерживается"),
        (418, "http-error", "Ошибка"),
    ],
)
async def test_an_http_error_is_a_problem(status: int, code: str, title: str) -> None:
    response = await problems._on_http_exception(request(), HTTPException(status, headers={"Allow": "GET"}))
    expected = {"type": f"urn:reglament:problem:{code}", "title": title, "status": status, "detail": title}
    assert told(response) == expected
    assert response.headers["Allow"] == "GET"


class Refused(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("refused")
        self.sqlstate = sqlstate


def from_driver(sqlstate: str) -> Exception:
    error: Exception = asyncpg.PostgresError("refused")
    error.sqlstate = sqlstate  # type: ignore[attr-defined]
    return error


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (StaleDataError(), "stale-version", "Кто-то изменил эти данные раньше вас"),
        (IntegrityError("", {}, Refused("23505")), "conflict", "Такая запись уже есть"),
        (asyncpg.UniqueViolationError("x"), "conflict", "Такая запись уже есть"),
        (DataError("", {}, Refused("22003")), "invalid", "не помещается в допустимые границы"),
        (from_driver("22001"), "invalid", "не помещается в допустимые границы"),
        (OperationalError("", {}, Refused(None)), "unavailable", "занята или недоступна"),
        (asyncpg.InterfaceError("x"), "unavailable", "занята или недоступна"),
        *[
            (from_driver(f"{state}000"), "unavailable", "занята или недоступна")
            for state in ("08", "40", "53", "55", "57")
        ],
        (from_driver("42000"), "internal-error", "она записана"),
    ],
)
async def test_what_the_database_refuses_is_told_apart(error: Exception, code: str, says: str) -> None:
    body = told(await problems._on_database_error(request(), error))
    assert body["type"] == f"urn:reglament:problem:{code}"
    assert says in body["detail"]


async def test_other_failures_have_words_too() -> None:
    lost = told(await problems._on_connection_lost(request(), ConnectionError()))
    assert (lost["status"], lost["detail"]) == (503, "База данных недоступна, повторите через несколько секунд.")
    gone = told(await problems._on_client_disconnect(request(), Exception()))
    assert (gone["status"], gone["type"]) == (400, "urn:reglament:problem:incomplete-request")
    assert (gone["title"], gone["detail"][:17]) == ("Запрос оборван", "Соединение закрыт")
    unexpected = told(await problems._on_unexpected(request(), ValueError()))
    assert (unexpected["status"], unexpected["title"]) == (500, "Внутренняя ошибка")
    business = told(await problems._on_business_error(request(), NotFound("Нет такого заказа.")))
    assert (business["status"], business["detail"]) == (404, "Нет такого заказа.")


def test_every_kind_of_failure_has_its_handler() -> None:
    app = FastAPI()
    problems.install(app)
    found = {kind: handler for kind, handler in app.exception_handlers.items() if isinstance(kind, type)}
    names = {kind.__name__: getattr(handler, "__name__", "") for kind, handler in found.items()}
    assert names["BusinessError"] == "_on_business_error"
    assert names["RequestValidationError"] == "_on_validation_error"
    assert names["HTTPException"] == "_on_http_exception"
    for kind in ("DBAPIError", "StaleDataError", "TimeoutError", "PostgresError", "InterfaceError"):
        assert names[kind] == "_on_database_error"
    assert names["ConnectionError"] == "_on_connection_lost"
    assert names["ClientDisconnect"] == "_on_client_disconnect"
    assert names["Exception"] == "_on_unexpected"


def test_the_document_has_the_problem_s_schema() -> None:
    app = FastAPI()
    describe(app)
    schema = app.openapi()["components"]["schemas"]["Problem"]
    assert set(schema["properties"]) == {"type", "title", "status", "detail"}
    with_models = FastAPI()

    @with_models.post("/rows")
    async def make(row: Row) -> None: ...

    describe(with_models)
    assert {"Row", "Problem"} <= with_models.openapi()["components"]["schemas"].keys()


# ── Bodies ──


class Body(Input):
    name: ShortText
    more: Any = None


@pytest.mark.parametrize(
    ("value", "says"),
    [("a\x00", "нулевой символ"), ("a\u202eb", "направление письма"), ("a\ud800", "недопустимые символы")],
)
def test_what_cannot_be_stored_is_refused_however_deep(value: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        storable(value)
    for deep in (value, [value], {"a": [{"b": value}]}, {value: 1}, [["x"], value], [value, {"a": 1}], [value, ["x"]]):
        with pytest.raises(ValidationError, match=says):
            Body.model_validate({"name": "Имя", "more": deep})


def test_a_body_is_trimmed_and_has_no_other_fields() -> None:
    assert storable("Имя\n\u200f") == "Имя\n\u200f"
    assert Body.model_validate({"name": " a \n b ", "more": [1, None, {"a": ["b"]}]}).name == "a b"
    assert one_line(" a\t\n b ") == "a b"
    with pytest.raises(ValidationError):
        Body.model_validate({"name": "a", "other": 1})


PRICE: TypeAdapter[Decimal] = TypeAdapter(Price)


@pytest.mark.parametrize(
    ("value", "price"), [("1500.5", "1500.50"), (0.1, "0.10"), (3, "3.00"), ("99999999", "99999999.00")]
)
def test_a_price_is_stored_in_kopecks(value: Any, price: str) -> None:
    assert str(PRICE.validate_python(value)) == price


@pytest.mark.parametrize("value", ["1_000", "١", "1e3", " 1", "0", -1, "1.005", 100_000_000, "NaN", float("inf"), "1."])
def test_another_price_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        PRICE.validate_python(value)


def test_a_refused_price_shows_an_example() -> None:
    with pytest.raises(ValidationError, match=r"нужно число, например 1500\.50"):
        PRICE.validate_python("1_000")


def test_conflicts_are_409() -> None:
    assert told(problems.from_business_error(Conflict()))["status"] == 409
