"""Explain a deadline in sentences that a manager understands (K5)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.notifier.clock.domain.labels import HOLDERS
from services.notifier.clock.domain.rules import Rule
from services.notifier.clock.domain.waiting import Period, Span
from services.notifier.clock.models.obligations import Obligation
from services.notifier.texts.labels import duration_ru, length_ru, moment_ru
from shared.vocabulary.worktime import Unit, WorkingCalendar, explain_ru, working_time_between

MAX_DETAILED_SPAN = timedelta(days=62)
"""A longer span is explained in one sentence, not day by day."""


def explain(
    obligation: Obligation, rule: Rule, periods: Sequence[Period], office_names: Mapping[UUID, str], at: datetime
) -> list[str]:
    """Return the sentences; `periods` are those of the offices that had the obligation, up to the deadline."""
    calendar = periods[-1].calendar
    zone = calendar.time_zone
    opened, due = obligation.opened_at, obligation.due_at
    spans = [Span.of(row) for row in obligation.spans]
    sentences = [
        f"{rule.clause}, правило {rule.code}, версия {rule.version}: {rule.title[0].lower()}{rule.title[1:]}.",
        f"Отсчёт начат {moment_ru(opened, zone)}.",
    ]
    if obligation.generation > 1 and not spans and obligation.agreed_due_at is None and len(periods) == 1:
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
    if obligation.agreed_due_at is not None:
        sentences.append(f"По согласованию с клиентом срок перенесён на {moment_ru(obligation.agreed_due_at, zone)}.")
    elif counts_working_time and rule.until is None and opened < due:
        worked = timedelta()
        intervals = list(_running_intervals(opened, due, spans, zone))
        for period in periods:
            if period is not periods[0]:
                sentences.append(_transfer_sentence(period, office_names))
            for begin, end, pause_text in intervals:
                here = period.begin <= begin and (begin < period.end or period is periods[-1])
                sentences += [pause_text] if pause_text and here else []
                begin, end = max(begin, period.begin), min(end, period.end)
                if begin < end <= begin + MAX_DETAILED_SPAN:
                    sentences += [f"{sentence}." for sentence in explain_ru(period.calendar, begin, end)]
                worked += working_time_between(period.calendar, begin, max(begin, end))
        sentences.append(f"Всего засчитано {length_ru(worked)} рабочего времени.")
    else:
        sentences += [pause_text for _, _, pause_text in _running_intervals(opened, due, spans, zone) if pause_text]
    sentences.append(f"Крайний срок {moment_ru(due, zone)}.")
    return sentences + _current_state(obligation, calendar, counts_working_time, at)


def _transfer_sentence(period: Period, office_names: Mapping[UUID, str]) -> str:
    calendar = period.calendar
    return (
        f"С {moment_ru(period.begin, calendar.time_zone)} обязанность у офиса «{office_names[period.office_id]}»: "
        f"дальше считается по его календарю (версия {calendar.version}, {calendar.time_zone})."
    )


def _running_intervals(
    opened: datetime, due: datetime, spans: Sequence[Span], zone: str
) -> Iterator[tuple[datetime, datetime, str]]:
    """Yield the times in which the clock ran, each with the sentence about the pause before it."""
    begin, pause_text = opened, ""
    for span in spans:
        if not span.pauses or span.began_at >= due or span.ended_at is None:
            continue
        yield begin, max(begin, span.began_at), pause_text
        why = "обязанность считалась закрытой" if span.holder == "nobody" else f"ждали: {HOLDERS[span.holder]}"
        pause_text = f"С {moment_ru(span.began_at, zone)} по {moment_ru(span.ended_at, zone)} отсчёт стоял ({why})."
        begin = span.ended_at
    yield begin, max(begin, due), pause_text


def _current_state(obligation: Obligation, calendar: WorkingCalendar, working: bool, at: datetime) -> list[str]:
    until = obligation.closed_at or at
    if obligation.paused_at is not None:
        limit_at = Span.of(obligation.spans[-1]).until
        limit = f", не дольше чем до {moment_ru(limit_at, calendar.time_zone)}" if limit_at else ""
        return [f"С {moment_ru(obligation.paused_at, calendar.time_zone)} отсчёт стоит{limit}."]
    left = obligation.due_at - until
    span = length_ru(abs(working_time_between(calendar, until, obligation.due_at)) if working else abs(left))
    unit = " рабочего времени" if working else ""
    if obligation.state == "cancelled":
        return [f"Обязанность отпала {moment_ru(until, calendar.time_zone)}."]
    if obligation.state == "done":
        kept = "в срок" if left >= timedelta() else f"с опозданием на {span}{unit}"
        return [f"Выполнено {moment_ru(until, calendar.time_zone)}, {kept}."]
    return [f"Осталось {span}{unit}." if left > timedelta() else f"Просрочено на {span}{unit}."]
