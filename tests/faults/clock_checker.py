"""The clock's promises: each step once, never early, never after a close, by the moved plan after a pause."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from tests.faults.checker import Verdict
from tests.faults.history import History
from tests.faults.world import World

LEVELS = "SELECT obligation_id, generation, level, kind, planned_at, fired_at, told FROM obligation_levels"
HISTORY = (
    "SELECT obligation_id, event, count(*) AS times, min(recorded_at) AS first FROM obligation_history GROUP BY 1, 2"
)
OBLIGATIONS = "SELECT id, state, due_at, closed_at, next_at, paused_at FROM obligations"
EVENTS = """
SELECT type, (body ->> 'obligation_id')::uuid AS id, (body ->> 'version')::int AS version, body ->> 'outcome' AS outcome
FROM (SELECT type, convert_from(body, 'UTF8')::json AS body FROM outbox WHERE type LIKE 'notifier.obligation.%') AS sent
"""
LETTERS = "SELECT context FROM notices WHERE purpose = 'staff'"
ONCE = ("warned", "breached", "escalated")
"""Outcomes of the history; an obligation has at most one event of the last two."""


NEAR = timedelta(seconds=0.1)


@dataclass(slots=True)
class CommandAnswer:
    """The answer that a client got when it paused, resumed or closed an obligation."""

    sent_at: datetime
    answered_at: datetime
    spans: list[dict[str, Any]]


@dataclass(slots=True)
class ObligationTrace:
    """Plan and history of one obligation."""

    steps: list[datetime]
    fate: str
    answers: dict[str, CommandAnswer] = field(default_factory=dict)
    fired: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    words: dict[str, Any] = field(default_factory=dict)
    obligation: Any = None


def obligation_traces(history: History) -> dict[UUID, ObligationTrace]:
    """Return the clients' records by obligation."""
    found: dict[UUID, ObligationTrace] = {}
    for line in history.lines("clock"):
        found[UUID(line["id"])] = ObligationTrace(
            [datetime.fromisoformat(step) for step in line["steps"]], line["fate"]
        )
    for line in history.lines("acknowledged"):
        sent_at, answered_at = (datetime.fromisoformat(line[name]) for name in ("sent_at", "answered_at"))
        found[UUID(line["id"])].answers[line["command"]] = CommandAnswer(sent_at, answered_at, line["spans"])
    return found


async def check_clocks(world: World, history: History, verdict: Verdict) -> None:
    """Compare plan and history; nothing may be in progress any more."""
    known = obligation_traces(history)
    for row in await world.rows("notifier", OBLIGATIONS):
        known[row["id"]].obligation = row
    for row in await world.rows("notifier", LEVELS):
        known[row["obligation_id"]].fired.append(row)
    for row in await world.rows("notifier", EVENTS):
        known[row["id"]].events.append(row)
    for row in await world.rows("notifier", HISTORY):
        known[row["obligation_id"]].words[row["event"]] = row
    verdict.require_none(
        "commands given up or refused", [line["what"] for line in history.lines("given_up", "refused")]
    )
    verdict.figures["clocks"] = len(known)
    verdict.figures["steps fired"] = sum(len(trace.fired) for trace in known.values())
    verdict.figures["fates"] = dict(Counter(trace.fate for trace in known.values()))
    near = sum(_met_a_step(trace) for trace in known.values() if trace.obligation is not None)
    verdict.figures[f"pauses and closes within {NEAR.total_seconds()} s of a step"] = near
    _check_once(known, verdict)
    _check_moments(known, verdict)
    _check_ends(known, verdict)
    await _check_letters(world, known, verdict)


def _met_a_step(trace: ObligationTrace) -> bool:
    """Return whether the close came close enough to a step to race with it."""
    moment = trace.obligation["closed_at"]
    if "pause" in trace.answers:
        moment = datetime.fromisoformat(trace.answers["pause"].spans[0]["began_at"])
    return moment is not None and any(abs(moment - step) <= NEAR for step in trace.steps)


def _check_once(known: dict[UUID, ObligationTrace], verdict: Verdict) -> None:
    twice, answers, words, numbers = [], [], [], []
    for obligation_id, trace in known.items():
        twice += [obligation_id for times in Counter(row["level"] for row in trace.fired).values() if times > 1]
        types = Counter(row["type"] for row in trace.events if ".warned." in row["type"] or ".breached." in row["type"])
        answers += [obligation_id for times in types.values() if times > 1]
        words += [obligation_id for word in ONCE if word in trace.words and trace.words[word]["times"] > 1]
        versions = sorted(row["version"] for row in trace.events)
        if versions != list(range(1, len(versions) + 1)):
            numbers.append(f"{obligation_id}: {versions}")
    verdict.require_none("steps fired twice", twice)
    verdict.require_none("steps published twice", answers)
    verdict.require_none("steps twice in the history", words)
    verdict.require_none("events of an obligation with gaps in their versions", numbers)


def _check_moments(known: dict[UUID, ObligationTrace], verdict: Verdict) -> None:
    early, planned_otherwise, while_paused, lateness = [], [], [], []
    for obligation_id, trace in known.items():
        for row in trace.fired:
            plan = _moved(trace, row["level"], row["generation"])
            # A close after the deadline notes the breach itself; then it is later than planned all the same.
            if row["fired_at"] < plan or row["fired_at"] < row["planned_at"]:
                early.append(obligation_id)
            if row["planned_at"] != plan:
                planned_otherwise.append(f"{obligation_id}/{row['level']}: {row['planned_at']}, not {plan}")
            if any(begin < row["fired_at"] < end for begin, end in _paused(trace)):
                while_paused.append(obligation_id)
            lateness.append((row["fired_at"] - plan).total_seconds())
        recorded = trace.words.get("breached")
        if recorded is not None and recorded["first"] < trace.steps[_breach(trace)]:
            early.append(obligation_id)
    verdict.require_none("steps fired early", early)
    verdict.require_none("steps not planned as they were moved", planned_otherwise)
    verdict.require_none("steps fired while the clock stood still", while_paused)
    verdict.figures["latest step, s"] = round(max(lateness, default=0.0), 1)


def _breach(trace: ObligationTrace) -> int:
    return 1 if len(trace.steps) > 1 else 0


def _moved(trace: ObligationTrace, level: int, generation: int) -> datetime:
    """Return the planned moment, moved by the pauses that ended before this generation, as the clients' answers say."""
    moment = trace.steps[level - 1]
    resumed = trace.answers.get("resume")
    for span in (resumed.spans if resumed else [])[: generation - 1]:
        began, ended = datetime.fromisoformat(span["began_at"]), datetime.fromisoformat(span["ended_at"])
        if moment > began:
            moment += ended - began
    return moment


def _paused(trace: ObligationTrace) -> Iterable[tuple[datetime, datetime]]:
    """Yield the times in which the clock is surely paused: from the answer to the pause until the request to resume."""
    order = [trace.answers[name] for name in ("pause", "resume") if name in trace.answers]
    for paused, resumed in pairwise(order):
        yield paused.answered_at, resumed.sent_at


def _check_ends(known: dict[UUID, ObligationTrace], verdict: Verdict) -> None:
    after, forgotten, undone, unnoted, still = [], [], [], [], []
    for obligation_id, trace in known.items():
        obligation = trace.obligation
        if obligation is None:
            forgotten.append(obligation_id)
            continue
        if obligation["next_at"] is not None or obligation["paused_at"] is not None:
            still.append(obligation_id)
        if trace.fate in ("complete", "paid"):
            if obligation["state"] != "done" or [
                row["outcome"] for row in trace.events if row["outcome"] == "done"
            ] != ["done"]:
                undone.append(obligation_id)
                continue
            [closed] = [row["version"] for row in trace.events if row["outcome"] == "done"]
            later = any(row["version"] > closed for row in trace.events)
            answers = trace.answers.get("complete")
            if later or any(answers is not None and row["fired_at"] > answers.answered_at for row in trace.fired):
                after.append(obligation_id)
            breached = any(row["kind"] == "breach" for row in trace.fired)
            if obligation["closed_at"] > obligation["due_at"] and not breached:
                unnoted.append(obligation_id)
        else:
            if obligation["state"] != "open" or {row["level"] for row in trace.fired} != set(
                range(1, len(trace.steps) + 1)
            ):
                forgotten.append(obligation_id)
    verdict.require_none("steps fired after a close", after)
    verdict.require_none("clocks forgotten", forgotten)
    verdict.require_none("closes that did not close", undone)
    verdict.require_none("breaches that a late close did not note", unnoted)
    verdict.require_none("clocks still running", still)


async def _check_letters(world: World, known: dict[UUID, ObligationTrace], verdict: Verdict) -> None:
    """Require that each escalation of the ladder is in exactly one letter."""
    silent = [
        obligation_id
        for obligation_id, trace in known.items()
        if any(row["kind"] == "escalation" and len(json.loads(row["told"])) != 1 for row in trace.fired)
    ]
    verdict.require_none("escalations to no person, or to more than head office", silent)
    said = sum(len(json.loads(row["told"])) for trace in known.values() for row in trace.fired)
    letters = [json.loads(row["context"]) for row in await world.rows("notifier", LETTERS)]
    written = sum(context.get("count", 1) for context in letters)
    verdict.figures |= {"escalations in the ladder": said, "letters to people": len(letters)}
    verdict.require(written == said, f"escalations in letters: {written}, in the ladder: {said}")
