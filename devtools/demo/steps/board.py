"""11. What head office sees, and only head office (NTF-03, INQ-01, RPT-07, ORG-04)."""

from typing import Any

from devtools.demo.day import Day
from devtools.demo.failure import check, check_equal
from devtools.demo.http import JSON
from devtools.demo.isolation import Leaks, find_leaks
from devtools.demo.waiting import until

TITLE = "Головной офис видит сеть, чужой офис не видит ничего"
CLAUSES = ("NTF-03", "INQ-01", "RPT-07", "ORG-04")


def execute(day: Day) -> None:
    show_the_board(day)
    other_offices_see_nothing(day)


def show_the_board(day: Day) -> None:
    def caught_up() -> JSON | None:
        """Read the board until the events of today's visits, calls and obligations are in it."""
        found = day.head_office.get("control/board")
        rows = {row["office_id"]: row for row in found["offices"]}
        if not {day.mira.id, day.tagil.id} <= rows.keys():
            return None
        mira, tagil = rows[day.mira.id], rows[day.tagil.id]
        figures = mira["figures"]
        figures_match = (figures["visits"], figures["calls"], figures["won"], figures["calls_made"]) == (1, 1, 1, 2)
        overdue = mira["obligations"]["open"] >= 1 and tagil["obligations"]["overdue"] >= 1
        quiet = all(service["outbox_backlog"] == 0 for service in found["services"])
        return found if figures_match and overdue and quiet else None

    board = until("обзор сети показывает сегодняшний день", caught_up)
    ours = [row for row in board["offices"] if row["office_id"] in (day.mira.id, day.tagil.id)]
    rows: list[tuple[Any, ...]] = [
        (
            row["name"],
            row["obligations"]["open"],
            row["obligations"]["overdue"],
            row["obligations"]["breached"],
            row["figures"]["visits"],
            row["figures"]["calls"],
            row["figures"]["calls_made"],
            f"{row['figures']['conversion_percent'] or 0} %",
            row["figures"]["penalty_points"],
            row["acting_director"],
        )
        for row in ours
    ]
    day.show.table(
        "Офис",
        "Открыто",
        "Просрочено",
        "Нарушено",
        "Визиты",
        "Звонки",
        "Клиентам",
        "Конверсия",
        "Штраф",
        "Управляет",
        rows=rows,
    )
    mira = next(row for row in ours if row["office_id"] == day.mira.id)
    check_equal(mira["obligations"]["breached"], 1, "нарушенный срок забытого заказа")
    check_equal(
        float(mira["figures"]["conversion_percent"]), 50.0, "конверсия: один визит потерян, один звонок — заказ"
    )
    check_equal(board["broker"]["state"], "ok", "брокер отвечает обзору")
    queues = board["broker"]["queues"]
    check(queues, "очереди видны")
    asked_for = [queue for queue in queues if not queue["name"].endswith((".republish", ".unrouted"))]
    idle = [queue["name"] for queue in asked_for if queue["consumers"] == 0]
    check(asked_for and not idle, "у очередей событий есть потребители", idle)
    deepest = sorted(queues, key=lambda queue: -queue["depth"])[:3]
    day.show.happens(
        f"очередей {len(queues)}, у всех {len(asked_for)} очередей событий есть потребители, самые длинные: "
        + ", ".join(f"{queue['name']} ({queue['depth']})" for queue in deepest)
    )
    rows = [
        (row["service"], row["state_label"], row["outbox_backlog"], row["retrying"], row["parked"])
        for row in board["services"]
    ]
    day.show.table("Сервис", "Состояние", "Не отправлено", "Повторяется", "Отложено", rows=rows)
    check(all(row["state"] == "ok" for row in board["services"]), "все сервисы ответили")
    check(all(row["parked"] == 0 for row in board["services"]), "отложенных сообщений нет")


def other_offices_see_nothing(day: Day) -> None:
    """Ask every GET of every service as a manager of the other office (ORG-04)."""
    stranger = day.tagil.managers[0]
    found: Leaks = find_leaks(insider=day.mira.senior, stranger=stranger, office_id=day.mira.id)
    check(not found.leaked, "чужой офис не виден", found.leaked)
    check(found.objects >= 20, "сравнено достаточно объектов", found.objects)
    day.show.happens(
        f"{stranger.name} ({day.tagil.name}): из {found.objects} объектов «{day.mira.name}» по {found.routes} "
        "маршрутам чтения не видит ни одного: чужие списки пусты, чужие карточки 404",
        "ORG-04",
    )
