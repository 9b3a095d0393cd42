"""Отказ от рекламы: ссылка в письме и «СТОП» в SMS."""

from typing import Annotated

from pydantic import StringConstraints

from shared.web import Input, Output


class IncomingSms(Input):
    """SMS от клиента, как её передаёт шлюз."""

    event_id: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{9,14}$")]
    text: Annotated[str, StringConstraints(max_length=2000)]


class SmsHeard(Output):
    stopped: bool
