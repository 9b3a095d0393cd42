"""Business errors.  The HTTP status and the stable problem type are part of the error, not of the router."""

from typing import Any, ClassVar


class DependencyNotReady(Exception):
    """Raise while a projection that the event needs has not arrived; the consumer retries the event."""


class BusinessError(Exception):
    """Something a caller did, told as RFC 9457 problem details.

    `code` ends the problem's `type` and never changes; `title` and `detail` are Russian, for people.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "conflict"
    title: ClassVar[str] = "Действие невозможно"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str = "", **members: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.members = members
        """Extension members of the problem, JSON values."""


class NotFound(BusinessError):
    """Also what belongs to another office or client: the shape is the same."""

    status = 404
    code = "not-found"
    title = "Не найдено"


class Unauthenticated(BusinessError):
    status = 401
    code = "unauthenticated"
    title = "Нужно войти"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(BusinessError):
    status = 403
    code = "forbidden"
    title = "Недостаточно прав"


class Conflict(BusinessError):
    pass


class IllegalTransition(BusinessError):
    code = "illegal-transition"
    title = "Недопустимая смена состояния"


class Invalid(BusinessError):
    """The request is well-formed but a value breaks a rule.  `field` names it."""

    status = 422
    code = "invalid"
    title = "Проверьте данные"

    def __init__(self, detail: str = "", *, field: str | None = None, **members: Any) -> None:
        if field is not None:
            members["errors"] = [{"location": field, "message": detail}]
        super().__init__(detail, **members)


class PreconditionFailed(BusinessError):
    status = 412
    code = "stale-version"
    title = "Данные уже изменились"


class PreconditionRequired(BusinessError):
    status = 428
    code = "version-required"
    title = "Нужен заголовок If-Match"


class TooManyRequests(BusinessError):
    status = 429
    code = "too-many-requests"
    title = "Слишком много попыток"


class Unavailable(BusinessError):
    """The system, not the caller, is at fault; worth another try."""

    status = 503
    code = "unavailable"
    title = "Сервис временно недоступен"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}
