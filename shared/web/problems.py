"""RFC 9457 problem details for every error that a caller can meet.

`type` is `urn:reglament:problem:<code>`; codes never change their meaning.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.base.errors import BusinessError, Conflict, Invalid, PreconditionFailed, Unavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:reglament:problem:"


class Problem(BaseModel):
    """Ошибка (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{PREFIX}not-found"])
    title: str
    status: int
    detail: str


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "Ошибка вызывающего: problem+json с постоянным `type`",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}

_HTTP_TITLES = {
    400: ("malformed-request", "Запрос не читается"),
    404: ("not-found", "Не найдено"),
    405: ("method-not-allowed", "Метод не поддерживается"),
    413: ("body-too-large", "Слишком большой запрос"),
    415: ("unsupported-media-type", "Неподдерживаемый формат"),
}

_MESSAGES = {
    "missing": "обязательное поле",
    "extra_forbidden": "лишнее поле",
    "string_type": "нужна строка",
    "string_too_short": "слишком короткое значение",
    "string_too_long": "слишком длинное значение",
    "string_pattern_mismatch": "не подходит по формату",
    "int_type": "нужно целое число",
    "int_parsing": "нужно целое число",
    "int_from_float": "нужно целое число",
    "bool_type": "нужно да или нет",
    "bool_parsing": "нужно да или нет",
    "uuid_type": "нужен идентификатор UUID",
    "uuid_parsing": "нужен идентификатор UUID",
    "decimal_type": "нужно число",
    "decimal_parsing": "нужно число",
    "decimal_max_places": "не больше двух знаков после запятой",
    "decimal_max_digits": "слишком большое число",
    "decimal_whole_digits": "слишком большое число",
    "finite_number": "нужно конечное число",
    "greater_than": "слишком малое значение",
    "greater_than_equal": "слишком малое значение",
    "less_than": "слишком большое значение",
    "less_than_equal": "слишком большое значение",
    "too_short": "слишком мало элементов",
    "too_long": "слишком много элементов",
    "list_type": "нужен список",
    "dict_type": "нужен объект",
    "model_type": "нужен объект",
    "model_attributes_type": "нужен объект",
    "enum": "недопустимое значение",
    "literal_error": "недопустимое значение",
    "json_invalid": "тело запроса — не JSON",
    "timezone_aware": "нужно время с часовым поясом",
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    *,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem; `code` ends its type, `members` are extension members."""
    body = {"type": PREFIX + code, "title": title, "status": status, "detail": detail, **(members or {})}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def from_business_error(error: BusinessError) -> JSONResponse:
    """Return the problem of a business error."""
    return problem(error.status, error.code, error.title, error.detail, members=error.members, headers=error.headers)


def _errors(errors: Sequence[Any]) -> list[dict[str, str]]:
    described = []
    for error in errors:
        message = _MESSAGES.get(error["type"])
        if message is None:
            own = error.get("ctx", {}).get("error")
            message = str(own) if isinstance(own, ValueError) else "недопустимое значение"
        described.append({"location": ".".join(str(part) for part in error["loc"]), "message": message})
    return described


async def _on_business_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusinessError)
    return from_business_error(error)


async def _on_validation_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = _errors(error.errors())
    detail = "; ".join(f"{item['location']}: {item['message']}" for item in errors[:5])
    # A lone surrogate in a field's name could not be encoded into the response.
    clean = [{name: value.encode("utf-8", "replace").decode() for name, value in item.items()} for item in errors]
    return problem(
        422, Invalid.code, Invalid.title, detail.encode("utf-8", "replace").decode(), members={"errors": clean}
    )


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, title = _HTTP_TITLES.get(error.status_code, ("http-error", "Ошибка"))
    return problem(error.status_code, code, title, title, headers=error.headers)


async def _on_database_error(request: Request, error: Exception) -> Response:
    """Map an error of the database: it refused the caller's value, a concurrent change won, or it is unavailable."""
    # Raw SQL raises the driver's own errors.
    refused = getattr(error, "orig", None) or error
    state = getattr(refused, "sqlstate", None) or ""
    if isinstance(error, StaleDataError):
        return from_business_error(PreconditionFailed("Кто-то изменил эти данные раньше вас. Обновите и повторите."))
    if isinstance(error, IntegrityError | asyncpg.IntegrityConstraintViolationError):
        log.warning("constraint refused", error=str(refused), path=request.url.path)
        return from_business_error(Conflict("Такая запись уже есть, или данные, на которые она ссылается, изменились."))
    if isinstance(error, DataError) or state.startswith("22"):
        return from_business_error(Invalid("Значение не помещается в допустимые границы."))
    log.error("database error", error=repr(error), path=request.url.path)
    if isinstance(error, OperationalError | InterfaceError | PoolTimeout | asyncpg.InterfaceError) or state[:2] in (
        "08",
        "40",
        "53",
        "55",
        "57",
    ):
        return from_business_error(Unavailable("База данных занята или недоступна, повторите через несколько секунд."))
    return await _on_unexpected(request, error)


async def _on_connection_lost(request: Request, error: Exception) -> Response:
    log.error("database unreachable", error=repr(error), path=request.url.path)
    return from_business_error(Unavailable("База данных недоступна, повторите через несколько секунд."))


async def _on_client_disconnect(request: Request, _: Exception) -> Response:
    """Handle a client that disconnected while sending the body; the response is sent to no one."""
    log.info("the caller has gone", path=request.url.path)
    return problem(400, "incomplete-request", "Запрос оборван", "Соединение закрыто раньше, чем пришёл весь запрос.")


async def _on_unexpected(request: Request, error: Exception) -> Response:
    log.exception("unexpected error", path=request.url.path, exc_info=error)
    return problem(500, "internal-error", "Внутренняя ошибка", "Ошибка на нашей стороне, она записана.")


def install(app: FastAPI) -> None:
    """Register the handlers of all errors."""
    app.add_exception_handler(BusinessError, _on_business_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for kind in (DBAPIError, StaleDataError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError):
        app.add_exception_handler(kind, _on_database_error)
    app.add_exception_handler(ConnectionError, _on_connection_lost)
    app.add_exception_handler(ClientDisconnect, _on_client_disconnect)
    app.add_exception_handler(Exception, _on_unexpected)
