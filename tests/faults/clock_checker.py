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
DUTIES = "SELECT id, state, due_at, closed_at, next_at, paused_at FROM obligations"
EVENTS = """
SELECT type, (body ->> 'obligation_id')::uuid AS id, (body ->> 'version')::int AS version, body ->> 'outcome' AS outcome
FROM (SELECT type, convert_from(body, 'UTF8')::json AS body FROM outbox WHERE type LIKE 'notifier.obligation.%') AS told
"""
LETTERS = "SELECT context FROM notices WHERE purpose = 'staff'"
ONCE = ("warned", "breached", "escalated")
"""Words of the history, and two of them of events, of which a duty has one at most."""


NEAR = timedelta(seconds=0.1)


@dataclass(slots=True)
class Told:
    """What a client heard when it paused, resumed or closed a duty."""

    sent_at: datetime
    answered_at: datetime
    spans: list[dict[str, Any]]


@dataclass(slots=True)
class Course:
    """What was meant to happen to one duty, and what did."""

    steps: list[datetime]
    fate: str
    told: dict[str, Told] = field(default_factory=dict)
    fired: list[Any] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    words: dict[str, Any] = field(default_factory=dict)
    duty: Any = None


def courses(history: History) -> dict[UUID, Course]:
    """As the clients wrote them down."""
    found: dict[UUID, Course] = {}
    for line in history.lines("clock"):
        found[UUID(line["id"])] = Course([datetime.fromisoformat(step) for step in line["steps"]], line["fate"])
    for line in history.lines("acknowledged"):
        sent_at, answered_at = (datetime.fromisoformat(line[name]) for name in ("sent_at", "answered_at"))
        found[UUID(line["id"])].told[line["command"]] = Told(sent_at, answered_at, line["spans"])
    return found


async def check_clocks(world: World, history: History, verdict: Verdict) -> None:
    """Nothing may be under way any more."""
    known = courses(history)
    for row in await world.rows("notifier", DUTIES):
        known[row["id"]].duty = row
    for row in await world.rows("notifier", LEVELS):
        known[row["obligation_id"]].fired.append(row)
    for row in await world.rows("notifier", EVENTS):
        known[row["id"]].events.append(row)
    for row in await world.rows("notifier", HISTORY):
        known[row["obligation_id"]].words[row["event"]] = row
    verdict.none("commands given up or refused", [line["what"] for line in history.lines("given_up", "refused")])
    verdict.figures["clocks"] = len(known)
    verdict.figures["steps fired"] = sum(len(course.fired) for course in known.values())
    verdict.figures["fates"] = dict(Counter(course.fate for course in known.values()))
    near = sum(_met_a_step(course) for course in known.values() if course.duty is not None)
    verdict.figures[f"pauses and closes within {NEAR.total_seconds()} s of a step"] = near
    _check_once(known, verdict)
    _check_moments(known, verdict)
    _check_ends(known, verdict)
    await _check_letters(world, known, verdict)


def _met_a_step(course: Course) -> bool:
    """Whether the race was one."""
    moment = course.duty["closed_at"]
    if "pause" in course.told:
        moment = datetime.fromisoformat(course.told["pause"].spans[0]["began_at"])
    return moment is not None and any(abs(moment - step) <= NEAR for step in course.steps)


def _check_once(known: dict[UUID, Course], verdict: Verdict) -> None:
    twice, told, words, numbers = [], [], [], []
    for duty_id, course in known.items():
        twice += [duty_id for times in Counter(row["level"] for row in course.fired).values() if times > 1]
        types = Counter(
            row["type"] for row in course.events if ".warned." in row["type"] or ".breached." in row["type"]
        )
        told += [duty_id for times in types.values() if times > 1]
        words += [duty_id for word in ONCE if word in course.words and course.words[word]["times"] > 1]
        versions = sorted(row["version"] for row in course.events)
        if versions != list(range(1, len(versions) + 1)):
            numbers.append(f"{duty_id}: {versions}")
    verdict.none("steps fired twice", twice)
    verdict.none("steps told of twice", told)
    verdict.none("steps twice in the history", words)
    verdict.none("events of a duty not numbered one by one", numbers)


def _check_moments(known: dict[UUID, Course], verdict: Verdict) -> None:
    early, planned_otherwise, while_paused, lateness = [], [], [], []
    for duty_id, course in known.items():
        for row in course.fired:
            plan = _moved(course, row["level"], row["generation"])
            # A close after the deadline notes the breach itself; then it is later than planned all the same.
            if row["fired_at"] < plan or row["fired_at"] < row["planned_at"]:
                early.append(duty_id)
            if row["planned_at"] != plan:
                planned_otherwise.append(f"{duty_id}/{row['level']}: {row['planned_at']}, not {plan}")
            if any(begin < row["fired_at"] < end for begin, end in _standing_still(course)):
                while_paused.append(duty_id)
            lateness.append((row["fired_at"] - plan).total_seconds())
        recorded = course.words.get("breached")
        if recorded is not None and recorded["first"] < course.steps[_breach(course)]:
            early.append(duty_id)
    verdict.none("steps fired early", early)
    verdict.none("steps not planned as they were moved", planned_otherwise)
    verdict.none("steps fired while the clock stood still", while_paused)
    verdict.figures["latest step, s"] = round(max(lateness, default=0.0), 1)


def _breach(course: Course) -> int:
    return 1 if len(course.steps) > 1 else 0


def _moved(course: Course, level: int, generation: int) -> datetime:
    """What was planned, later by the pauses that had ended before this generation, as the client was told them."""
    moment = course.steps[level - 1]
    resumed = course.told.get("resume")
    for span in (resumed.spans if resumed else [])[: generation - 1]:
        began, ended = datetime.fromisoformat(span["began_at"]), datetime.fromisoformat(span["ended_at"])
        if moment > began:
            moment += ended - began
    return moment


def _standing_still(course: Course) -> Iterable[tuple[datetime, datetime]]:
    """From the answer to the pause until the request to go on: the time in which nobody may doubt that it stands."""
    order = [course.told[name] for name in ("pause", "resume") if name in course.told]
    for paused, resumed in pairwise(order):
        yield paused.answered_at, resumed.sent_at


def _check_ends(known: dict[UUID, Course], verdict: Verdict) -> None:
    after, forgotten, undone, unnoted, still = [], [], [], [], []
    for duty_id, course in known.items():
        duty = course.duty
        if duty is None:
            forgotten.append(duty_id)
            continue
        if duty["next_at"] is not None or duty["paused_at"] is not None:
            still.append(duty_id)
        if course.fate in ("complete", "paid"):
            if duty["state"] != "done" or [row["outcome"] for row in course.events if row["outcome"] == "done"] != [
                "done"
            ]:
                undone.append(duty_id)
                continue
            [closed] = [row["version"] for row in course.events if row["outcome"] == "done"]
            later = any(row["version"] > closed for row in course.events)
            told = course.told.get("complete")
            if later or any(told is not None and row["fired_at"] > told.answered_at for row in course.fired):
                after.append(duty_id)
            breached = any(row["kind"] == "breach" for row in course.fired)
            if duty["closed_at"] > duty["due_at"] and not breached:
                unnoted.append(duty_id)
        else:
            if duty["state"] != "open" or {row["level"] for row in course.fired} != set(
                range(1, len(course.steps) + 1)
            ):
                forgotten.append(duty_id)
    verdict.none("steps fired after a close", after)
    verdict.none("clocks forgotten", forgotten)
    verdict.none("closes that did not close", undone)
    verdict.none("breaches that a late close did not note", unnoted)
    verdict.none("clocks still running", still)


async def _check_letters(world: World, known: dict[UUID, Course], verdict: Verdict) -> None:
    """What the ladder says it told somebody stands in exactly one letter."""
    silent = [
        duty_id
        for duty_id, course in known.items()
        if any(row["kind"] == "escalation" and len(json.loads(row["told"])) != 1 for row in course.fired)
    ]
    verdict.none("escalations that told nobody, or more than head office", silent)
    said = sum(len(json.loads(row["told"])) for course in known.values() for row in course.fired)
    letters = [json.loads(row["context"]) for row in await world.rows("notifier", LETTERS)]
    written = sum(context.get("count", 1) for context in letters)
    verdict.figures |= {"news told": said, "letters to people": len(letters)}
    verdict.require(written == said, f"news in letters: {written}, the ladder told {said}")
