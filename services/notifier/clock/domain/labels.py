"""Russian labels of the codes that people see."""

SUBJECTS = {
    "client": "клиент",
    "order": "заказ",
    "position": "позиция",
    "vin_request": "VIN-запрос",
    "inquiry": "обращение",
    "claim": "рекламация",
    "invoice": "счёт",
    "office": "офис",
    "staff": "сотрудник",
}

OBLIGATION_STATES = {"open": "в работе", "done": "выполнено", "cancelled": "отменено"}

STEP_KINDS = {
    "warning": "предупреждение",
    "breach": "срок нарушен",
    "escalation": "передано выше",
    "limit": "жёсткий предел",
}

HOLDERS = {"manager": "менеджер", "client": "клиент", "supplier": "поставщик", "nobody": "никто: было закрыто"}


EVENTS = {
    "opened": "срок начат",
    "warned": "предупреждение",
    "breached": "срок нарушен",
    "escalated": "передано выше",
    "limit_reached": "достигнут жёсткий предел",
    "superseded": "условия изменились, срок пересчитан",
    "done": "выполнено",
    "cancelled": "отменено",
    "reassigned": "ответственный изменён",
    "moved": "срок перенесён по согласованию с клиентом",
    "acknowledged": "взято в работу",
    "waiting": "изменилось, кого ждёт обязанность",
    "paused": "отсчёт приостановлен",
    "resumed": "отсчёт возобновлён",
    "reopened": "открыто снова",
    "transferred": "передано другому офису",
}
