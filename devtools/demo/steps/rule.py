"""10. Head office changes a rule: draft, check, dry run, publication; a deadline explained, a digest read (NTF-03)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from devtools.demo.clocks import open_obligation
from devtools.demo.day import Day
from devtools.demo.delivered_messages import Message
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON, Person
from devtools.demo.waiting import until

TITLE = "Головной офис меняет правило: черновик, проверка, прогон, публикация"
CLAUSES = ("CALL-12", "NTF-03", "K5")

RULE, OWN_RULE = "CALL-12", "CALL-12-FAST"
LETTER = {
    "customer_type": "legal_entity",
    "channel": "email",
    "name": "Автопарк № 3",
    "city": "Нижний Тагил",
    "items": [{"text": "Фильтры масляные", "quantity": 40}],
    "status": "open",
}
SENDERS = ("Автопарк № 3", "Такси Урал", "Автошкола Старт")
DIGEST = "Сроки: "


def execute(day: Day) -> None:
    manager = day.tagil.managers[1]
    first, *_ = leave_unanswered(day, manager, RULE)
    explain(day, manager, first)
    draft = write_the_draft(day)
    try_it_on_the_past(day, draft, manager)
    publish(day, draft)
    leave_unanswered(day, manager, OWN_RULE)
    read_the_digest(day, manager)


def leave_unanswered(day: Day, manager: Person, rule: str) -> list[JSON]:
    """Place orders in the other office, all together, so that head office has overdue obligations to see."""
    letters = [manager.post("orders/inquiries", LETTER | {"name": sender}) for sender in SENDERS]
    clocks = [open_obligation(day, day.tagil, rule, subject_id=letter["id"]) for letter in letters]
    for clock in clocks:
        check_equal(clock["responsible_staff_id"], manager.id, "за ответ отвечает тот, кто принял письмо")
    names = ", ".join(f"«{sender}»" for sender in SENDERS)
    day.show.does(manager.name, f"письма от {names} остались без ответа; правило {rule}", "CALL-12")
    return clocks


def explain(day: Day, manager: Person, clock: JSON) -> None:
    """Let the manager ask the client, pause and resume; then the deadline explains itself."""
    path = f"notifier/obligations/{clock['id']}"
    manager.post(f"{path}/waiting", {"holder": "client", "reason": "Уточняем у клиента марку фильтров"})
    moved = manager.post(f"{path}/waiting", {"holder": "manager", "reason": "Клиент ответил"})
    check(moved["due_at"] > clock["due_at"], "пока ждали клиента, срок стоял", moved["due_at"])
    explanation = manager.get(f"{path}/explanation")
    check_equal(explanation["due_at"], moved["due_at"], "объяснение говорит о действующем сроке")
    check(any("отсчёт стоял (ждали: клиент)" in one for one in explanation["sentences"]), "пауза объяснена")
    day.show.does(manager.name, f"спрашивает, почему срок ответа «{SENDERS[0]}» именно такой", "CALL-12", "K5")
    day.show.quotes(explanation["sentences"])


def write_the_draft(day: Day) -> JSON:
    """Check that a second general rule for the same letters is refused, and one for a single office is not."""
    general = day.head_office.get(f"notifier/rules/{RULE}")["items"][-1]["rule"]
    body: dict[str, Any] = general | {
        "title": "Ответ на письмо или сообщение: срочно",
        "duration": {"amount": 1, "unit": "seconds"},
        "warnings": [],
        "ladder": [
            {"role": "manager", "after": {"amount": 0, "unit": "seconds"}},
            {"role": "senior_manager", "after": {"amount": 3600, "unit": "seconds"}},
        ],
    }
    draft = day.head_office.post("notifier/rule-drafts", body | {"code": OWN_RULE})
    day.show.does("Головной офис", f"черновик {OWN_RULE}: на письмо отвечать за 1 секунду, во всей сети", "CALL-12")
    path = f"notifier/rule-drafts/{draft['id']}"
    found = day.head_office.post(f"{path}/check")
    check(not found["ok"] and RULE in found["problems"][0]["message"], "проверка находит столкновение правил", found)
    day.show.refuses("проверка черновика", found["problems"][0]["message"], "NTF-03")
    of_tagil = body | {"office_id": day.tagil.id}
    draft = day.head_office.put(path, of_tagil, version=draft["version"])
    found = day.head_office.post(f"{path}/check")
    check_equal((found["ok"], found["warnings"]), (True, []), "проверка чиста")
    day.show.does("Головной офис", f"черновик только для «{day.tagil.name}»: проверка чиста", "NTF-03")
    return draft


def try_it_on_the_past(day: Day, draft: JSON, manager: Person) -> None:
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    def replayed() -> JSON | None:
        run = day.head_office.post(f"notifier/rule-drafts/{draft['id']}/dry-run", {"since": since})
        return run if run["breaches_after"] == run["breaches_before"] + len(SENDERS) else None

    run = until("прогон показывает нарушения", replayed)
    check_equal({one["what"] for one in run["differences"]}, {"breached_now"}, "чем отличается прогон")
    (person,) = run["people"]
    check_equal(person["staff_id"], manager.id, "у кого прибавилось бы нарушений")
    day.show.does(
        "Головной офис",
        f"прогон черновика за час, событий {run['events']}, действий людей {run['deeds']}: нарушений "
        f"{run['breaches_before']} → "
        f"{run['breaches_after']}; {person['name']}: {person['breaches_before']} → {person['breaches_after']}",
        "NTF-03",
    )
    rows = []
    for one in run["differences"]:
        codes = [side["rule_code"] for side in (one["before"], one["after"])]
        rows.append((f"{one['subject_label']}: {one['title']}", *codes, one["what_label"]))
    day.show.table("Обязанность", "Было", "Стало бы", "Что иначе", rows=rows)
    day.show.quotes(run["cannot_know"])


def publish(day: Day, draft: JSON) -> None:
    published = day.head_office.post(f"notifier/rule-drafts/{draft['id']}/publication")
    check_equal(published["state"], "published", "черновик опубликован")
    running = [clock["rule_code"] for clock in day.tagil.senior.items("notifier/obligations", clause="CALL-12")]
    check_equal(running, [RULE] * len(SENDERS), "открытые обязанности живут по прежнему правилу")
    day.show.does(
        "Головной офис",
        f"опубликовал {OWN_RULE}, версия {published['published_version']}; "
        f"открытые обязанности ({len(running)}) живут по прежнему правилу",
        "NTF-03",
    )


def read_the_digest(day: Day, manager: Person) -> None:
    """Check that the first breach is sent at its moment, and those of the next seconds (else five minutes) together."""
    address = day.tagil.email_of(manager)

    def arrived() -> list[Message] | None:
        letters = day.post.letters(to=address)
        mentions = sum(letter["text"].count("[CALL-12]") or "[CALL-12]" in letter["subject"] for letter in letters)
        return letters if mentions == len(SENDERS) else None

    letters = until("менеджеру сказано о каждом нарушении", arrived)
    digests = [letter for letter in letters if letter["subject"].startswith(DIGEST)]
    check(digests and len(letters) < len(SENDERS), "писем меньше, чем нарушений", len(letters))
    for letter in letters:
        day.show.letter(letter, "NTF-03")
        words = [line.strip() for line in letter["text"].splitlines()]
        listed = [number for number, line in enumerate(words) if "[CALL-12]" in line]
        day.show.quotes(f"{words[number]}: {words[number + 1]}" for number in listed)
