"""ETag and If-Match: optimistic locking over HTTP."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from shared.base.errors import BusinessError, PreconditionFailed, PreconditionRequired

_ETAG = re.compile(r'(?:W/)?"(\d{1,18})"')


class MalformedVersion(BusinessError):
    """If-Match is not an ETag that this system issues."""

    status = 400
    code = "malformed-version"
    title = "Заголовок If-Match не читается"


async def _if_match(
    if_match: Annotated[
        str | None, Header(description='Версия объекта из ETag, например `"3"`', examples=['"3"'])
    ] = None,
) -> int:
    if if_match is None:
        raise PreconditionRequired('Передайте версию, которую вы видели: If-Match: "<версия>" (её даёт ETag).')
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise MalformedVersion('Ожидается If-Match: "<версия>", например "3".')
    return int(match[1])


IfMatch = Annotated[int, Depends(_if_match)]


def set_etag(response: Response, version: int) -> None:
    """Send the object's version as the ETag."""
    response.headers["ETag"] = f'"{version}"'


def check_version(actual: int, expected: int) -> None:
    """Compare the stored version with that of If-Match.  Raises PreconditionFailed (412) when they differ."""
    if actual != expected:
        raise PreconditionFailed(
            f"Данные изменились: версия {actual}, вы видели {expected}. Обновите и повторите.", version=actual
        )
