"""The SMS simulator's second protocol: that of SMS.ru over HTTP, for the same messages.

`/sms/send`, `/sms/status` and `/my/balance`, by GET or POST, answered with `json=1` only.  The key `api_id` is the
simulator's password.  Effects of a phone number's last four digits, beside those of `simulators.sms.gateways`:

| digits       | effect                                                                |
|--------------|-----------------------------------------------------------------------|
| 9200 … 9299  | the message is refused with the code 200 … 299                        |
| 9500         | HTTP 500 without accepting anything                                   |
| 9501         | accepted, yet answered with code 500                                  |
| 9600         | accepted, but the answer never comes (until the client gives up)      |
| 9601         | accepted, but the answer is no JSON                                   |
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

OK = {"status": "OK", "status_code": 100}
# The simulator's status -> SMS.ru's.
STATUSES = {-1: 100, 0: 102, 1: 103, 3: 104, 20: 150, 22: 107, 23: 108, 24: 105, 25: 106}
WRONG_KEY, NO_MONEY, WRONG_NUMBER, NO_TEXT, METHOD, BROKEN = 200, 201, 202, 203, 211, 500


class Message(Protocol):
    id: str
    cost: Decimal

    def status(self, now: datetime) -> tuple[int, datetime]: ...


class Simulator(Protocol):
    password: str
    balance: Decimal

    def accept(self, phone: str, text: str, sender: str, now: datetime) -> Message | None:
        """None when there is no money left."""

    def find(self, message_id: str) -> Message | None: ...


def _error(code: int, text: str = "") -> dict[str, Any]:
    return {"status": "ERROR", "status_code": code, "status_text": text or f"Ошибка {code}"}


def add_smsru(
    app: FastAPI, simulator: Simulator, parameters_of: Callable[[Request], Awaitable[Mapping[str, str]]]
) -> None:
    """Add the routes to the simulator's application."""

    @app.api_route("/sms/send", methods=["GET", "POST"])
    async def send(request: Request) -> Response:
        parameters = await parameters_of(request)
        if refusal := _refusal(simulator, parameters):
            return refusal
        number = re.sub(r"\D", "", parameters.get("to", ""))
        digits = number[-4:]
        if digits == "9500":
            return Response("Internal Server Error", 500)
        if not parameters.get("msg"):
            return JSONResponse(_error(NO_TEXT, "Нет текста сообщения"))
        if not 11 <= len(number) <= 15 or (number[0] == "7" and len(number) != 11):
            result = _error(WRONG_NUMBER, "Неправильно указан номер телефона получателя")
        elif re.fullmatch(r"92\d\d", digits):
            result = _error(int(digits[1:]))
        else:
            result = _accepted(simulator, number, parameters)
        if digits == "9501":
            return JSONResponse(_error(BROKEN, "Ошибка на сервере. Повторите запрос."))
        if digits == "9600":
            while not await request.is_disconnected():  # noqa: ASYNC110, a disconnection is no event here
                await asyncio.sleep(0.05)
        if digits == "9601":
            return Response("<html>Bad gateway</html>", media_type="text/html")
        return JSONResponse(OK | {"sms": {number: result}, "balance": float(simulator.balance)})

    @app.api_route("/sms/status", methods=["GET", "POST"])
    async def status(request: Request) -> Response:
        parameters = await parameters_of(request)
        if refusal := _refusal(simulator, parameters):
            return refusal
        result = {key: _status(simulator.find(key)) for key in parameters.get("sms_id", "").split(",") if key}
        return JSONResponse(OK | {"sms": result, "balance": float(simulator.balance)})

    @app.api_route("/my/balance", methods=["GET", "POST"])
    async def balance(request: Request) -> Response:
        parameters = await parameters_of(request)
        return _refusal(simulator, parameters) or JSONResponse(OK | {"balance": float(simulator.balance)})


def _refusal(simulator: Simulator, parameters: Mapping[str, str]) -> Response | None:
    if parameters.get("json") != "1":
        return JSONResponse(_error(METHOD, "Симулятор отвечает только при json=1"))
    if parameters.get("api_id") != simulator.password:
        return JSONResponse(_error(WRONG_KEY, "Неправильный api_id"))
    return None


def _accepted(simulator: Simulator, number: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    message = simulator.accept(number, parameters["msg"], parameters.get("from", ""), datetime.now(UTC))
    if message is None:
        return _error(NO_MONEY, "Не хватает средств на лицевом счету")
    return OK | {"sms_id": message.id, "cost": str(message.cost)}


def _status(message: Message | None) -> dict[str, Any]:
    if message is None:
        return _error(-1, "Сообщение не найдено")
    code, _ = message.status(datetime.now(UTC))
    return {"status": "OK", "status_code": STATUSES[code], "cost": str(message.cost)}
