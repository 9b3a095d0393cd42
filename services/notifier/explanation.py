"""Why a deadline is where it is, in sentences that a manager understands."""

from datetime import datetime, timedelta

from services.notifier.domain.labels import duration_ru, length_ru, moment_ru
from services.notifier.domain.rules import Rule
from services.notifier.models import Obligation
from shared.worktime import Unit, WorkingCalendar, explain_ru, working_time_between

LONGEST = timedelta(days=62)
"""A longer span is told in one sentence, not day by day."""


def explain(obligation: Obligation, rule: Rule, calendar: WorkingCalendar, at: datetime) -> list[str]:
    zone = calendar.time_zone
    opened, due = obligation.opened_at, obligation.due_at
    sentences = [
        f"{rule.clause}, правило {rule.code}, версия {rule.version}: {rule.title[0].lower()}{rule.title[1:]}.",
        f"Отсчёт начат {moment_ru(opened, zone)}.",
    ]
    if obligation.generation > 1:
        sentences.append("Условия изменились, срок пересчитан от первоначального начала.")
    if rule.note:
        sentences.append(rule.note)
    counts_working_time = rule.duration.unit in (Unit.WORKING_MINUTES, Unit.WORKING_DAYS)
    if rule.until is not None:
        sentences.append("Срок назван в самом событии.")
    elif counts_working_time:
        sentences.append(f"Срок — {duration_ru(rule.duration)} по календарю офиса (версия {calendar.version}, {zone}).")
    else:
        sentences.append(f"Срок — {duration_ru(rule.duration)} подряд, рабочее время не учитывается.")
    if counts_working_time and rule.until is None and opened < due:
        if due - opened <= LONGEST:
            sentences += [f"{sentence}." for sentence in explain_ru(calendar, opened, due)]
        worked = working_time_between(calendar, opened, due)
        sentences.append(f"Всего засчитано {length_ru(worked)} рабочего времени.")
    sentences.append(f"Крайний срок {moment_ru(due, zone)}.")
    return sentences + _standing(obligation, calendar, counts_working_time, at)


def _standing(obligation: Obligation, calendar: WorkingCalendar, working: bool, at: datetime) -> list[str]:
    until = obligation.closed_at or at
    left = obligation.due_at - until
    span = length_ru(abs(working_time_between(calendar, until, obligation.due_at)) if working else abs(left))
    unit = " рабочего времени" if working else ""
    if obligation.state == "cancelled":
        return [f"Обязанность отпала {moment_ru(until, calendar.time_zone)}."]
    if obligation.state == "done":
        kept = "в срок" if left >= timedelta() else f"с опозданием на {span}{unit}"
        return [f"Выполнено {moment_ru(until, calendar.time_zone)}, {kept}."]
    return [f"Осталось {span}{unit}." if left > timedelta() else f"Просрочено на {span}{unit}."]
