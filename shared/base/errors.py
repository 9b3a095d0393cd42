"""Business errors.  Each carries its HTTP status and its stable problem type, so that routes need not map them."""

from typing import Any, ClassVar


class DependencyNotReady(Exception):
    """Raise while a projection that the event needs has not arrived; the consumer retries the event."""


class BusinessError(Exception):
    """A rule that the caller broke, returned as RFC 9457 problem details.

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
    """There is no such thing, or it belongs to another office or client; both look the same (ORG-04)."""

    status = 404
    code = "not-found"
    title = "Не найдено"


class Unauthenticated(BusinessError):
    """The caller has no valid token."""

    status = 401
    code = "unauthenticated"
    title = "Нужно войти"
    headers: ClassVar[dict[str, str]] = {"WWW-Authenticate": "Bearer"}


class Forbidden(BusinessError):
    """The caller's role may not do this."""

    status = 403
    code = "forbidden"
    title = "Недостаточно прав"


class Conflict(BusinessError):
    """The present state does not allow the action."""


class IllegalTransition(BusinessError):
    """The state machine has no such transition from the present state."""

    code = "illegal-transition"
    title = "Недопустимая смена состояния"


class Invalid(BusinessError):
    """The request is well-formed, but a value breaks a rule.  `field` names the value's place."""

    status = 422
    code = "invalid"
    title = "Проверьте данные"

    def __init__(self, detail: str = "", *, field: str | None = None, **members: Any) -> None:
        if field is not None:
            members["errors"] = [{"location": field, "message": detail}]
        super().__init__(detail, **members)


class PreconditionFailed(BusinessError):
    """The object has changed since the version that the caller saw."""

    status = 412
    code = "stale-version"
    title = "Данные уже изменились"


class PreconditionRequired(BusinessError):
    """The caller did not say which version it saw."""

    status = 428
    code = "version-required"
    title = "Нужен заголовок If-Match"


class TooManyRequests(BusinessError):
    """Too many failed attempts within a minute."""

    status = 429
    code = "too-many-requests"
    title = "Слишком много попыток"


class Unavailable(BusinessError):
    """The system, not the caller, is at fault; the request may be repeated."""

    status = 503
    code = "unavailable"
    title = "Сервис временно недоступен"
    headers: ClassVar[dict[str, str]] = {"Retry-After": "2"}
