"""The log of calls to a client (CL-11, CL-12): its line, its labels, and which rules ask for a call."""

from datetime import datetime
from zoneinfo import ZoneInfo

from services.clients.domain.names import initials
from shared.contracts.clients import CallGoal, CallOutcome

RATING_LABELS = {
    1: "Не понравилось, работать с нами не будет",
    2: "Не понравилось, но возможно закажет",
    3: "Воздержался от комментариев",
    4: "Все понравилось, в будущем планирует заказывать",
    5: "Все понравилось, уже составляет заказ, либо уже заказал",
}
"""The scale of CL-12."""

OUTCOME_LABELS: dict[CallOutcome, str] = {
    "reached": "Дозвонились",
    "no_answer": "Не берёт трубку",
    "cannot_talk": "Не может сейчас разговаривать",
    "wrong_number": "По номеру ответил не клиент",
}

GOAL_LABELS: dict[CallGoal, str] = {
    "first_call": "Первый звонок",
    "second_call": "Второй звонок",
    "order_contact": "Узнать, когда планируется оплата",
    "order_offer": "Предложить проверку заказа",
    "cold_call": "Обзвон холодной базы",
    "payment_check": "Проверить оплату счета",
    "other": "Другое",
}

RULE_GOALS: dict[str, CallGoal] = {
    "CALL-01": "first_call",
    "CALL-02": "first_call",
    "CALL-03": "second_call",
    "CALL-04": "cold_call",
    "CALL-06": "order_offer",
    "ORD-04": "order_contact",
    "BILL-06": "payment_check",
}
"""Rules of the notifier that ask for a call, and the goal of the call."""

SENTENCE_ENDS = (".", "!", "?", "…")


def goal_of_rule(rule_code: str, clause: str) -> CallGoal | None:
    """Return the goal of a rule's call; None when it asks for none.

    A rule of an office's own is found by its clause.
    """
    return RULE_GOALS.get(rule_code) or RULE_GOALS.get(clause)


def entry(
    *,
    called_at: datetime,
    zone: ZoneInfo,
    outcome: CallOutcome,
    rating: int | None,
    comment: str,
    caller: str,
) -> str:
    """Return the line of the log: «18:45, 14.03.26. Оценка 5. Закажет к выходным. М.А.», in the zone of the office."""
    parts = [f"{called_at.astimezone(zone):%H:%M, %d.%m.%y}."]
    if outcome != "reached":
        parts.append(f"{OUTCOME_LABELS[outcome]}.")
    if rating is not None:
        parts.append(f"Оценка {rating}.")
    if comment:
        parts.append(comment if comment.endswith(SENTENCE_ENDS) else f"{comment}.")
    parts.append(initials(caller))
    return " ".join(part for part in parts if part)
