"""F10: one key from many concurrent clients; concurrent edits of one version."""

import asyncio
import itertools

import httpx

from tests.faults.checker import Verdict, check_samples
from tests.faults.scenarios.base import Run, Stage, samples


async def run(run: Run) -> Verdict:
    async with samples(run, "F10", presses=2) as stage:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        verdict = Verdict()
        async with httpx.AsyncClient(timeout=60, trust_env=False, limits=limits) as http:
            for number in range(1, run.scale(8, 1000) + 1):
                await same_key(stage, http, number, run.pick(20, 50), verdict)
            await same_version(stage, http, run.pick(30, 100), verdict)
        drained = await check_samples(stage.world, stage.history)
        return Verdict(verdict.figures | drained.figures, verdict.violations + drained.violations)


async def same_key(stage: Stage, http: httpx.AsyncClient, number: int, clients: int, verdict: Verdict) -> None:
    """One request runs; the others are answered 409 with Retry-After or get its answer, byte for byte."""
    urls = itertools.cycle(stage.world.urls("press"))
    body = {"number": number, "text": "text", "hold_seconds": 0.1}
    headers = {"Idempotency-Key": f"page-{number}"}

    async def send() -> httpx.Response:
        return await http.post(f"{next(urls)}/pages", json=body, headers=headers)

    stage.history.write("sent", number=number)
    answers = await asyncio.gather(*(send() for _ in range(clients)))
    again = await send()
    created = [answer for answer in (*answers, again) if answer.status_code == httpx.codes.CREATED]
    stage.history.write("acknowledged", number=number, id=again.json()["id"])
    others = [answer for answer in answers if answer.status_code != httpx.codes.CREATED]
    waiting = [x for x in others if x.status_code == httpx.codes.CONFLICT and x.headers.get("retry-after") == "1"]
    verdict.require_none("refusals of another kind", [answer.text for answer in others if answer not in waiting])
    verdict.require_none("different answers", {answer.content for answer in created} - {again.content})
    verdict.figures["clients answered 409"] = verdict.figures.get("clients answered 409", 0) + len(waiting)
    other = await http.post(f"{next(urls)}/pages", json=body | {"text": "other"}, headers=headers)
    verdict.require(other.status_code == httpx.codes.UNPROCESSABLE_ENTITY, f"another body: {other.status_code}")


async def same_version(stage: Stage, http: httpx.AsyncClient, clients: int, verdict: Verdict) -> None:
    """One edit wins, the others are answered 412."""
    [line, *_] = stage.history.lines("acknowledged")
    urls = itertools.cycle(stage.world.urls("press"))
    edits = (
        http.patch(f"{next(urls)}/pages/{line['id']}", json={"text": f"edit {n}"}, headers={"If-Match": '"1"'})
        for n in range(clients)
    )
    statuses = [answer.status_code for answer in await asyncio.gather(*edits)]
    won, late = statuses.count(httpx.codes.OK), statuses.count(httpx.codes.PRECONDITION_FAILED)
    verdict.figures["concurrent edits"] = clients
    verdict.require((won, late) == (1, clients - 1), f"edits: {won} won, {late} late of {clients}: {set(statuses)}")
