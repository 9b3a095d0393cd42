"""Operations of the notifier that the day leaves out."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode
from uuid import uuid4

from devtools.demo.clocks import change_rule, open_obligation
from devtools.demo.day import Day
from devtools.demo.http import JSON, Person
from devtools.demo.money import signed_notice
from devtools.demo.steps import call
from devtools.demo.steps.rule import LETTER
from devtools.demo.waiting import until
from tests.system.world import MANGO_KEY, MANGO_SALT, WEBHOOK_SECRET, World


def notifier(world: World, day: Day, head_office: Person) -> None:
    letters_out(world, day)
    letters_in(world, day, head_office)
    no_more_advertising(world, day)
    deadlines(day, head_office)
    absences(day)
    drafts(day, head_office)
    texts(day, head_office)
    telephone(day)


def letters_out(world: World, day: Day) -> None:
    senior = day.mira.senior
    ordered = next(row for row in senior.items("notifier/notices") if row["purpose"] == "supplier")
    details = senior.get(f"notifier/notices/{ordered['id']}")
    senior.download(f"notifier/notices/{ordered['id']}/attachments/{quote(details['attachments'][0])}")
    # The demo's mailbox refuses this recipient permanently.
    day.visitor.post(
        "clients/registrations",
        {
            "office_id": day.mira.id,
            "full_name": "Без почты",
            "email": f"reject5-{day.stamp}@mail.example",
            "phone": "+7 495 123-45-99",
            "password": call.PASSWORD,
            "consents": ["service"],
        },
    )

    def refused() -> JSON | None:
        return next(iter(senior.items("notifier/notices", state="failed")), None)

    letter = until("письмо не доставлено", refused)
    senior.post(f"notifier/notices/{letter['id']}/resend")
    # As if the process had died while it sent this one.
    world.rows("notifier", "UPDATE notices SET state = 'unknown' WHERE id = $1 RETURNING id", ordered["id"])
    senior.post(f"notifier/notices/{ordered['id']}/resolution", {"delivered": True})


def letters_in(world: World, day: Day, head_office: Person) -> None:
    """Insert a letter as the reader of mailboxes does: there is no IMAP server here."""
    box = {"host": "127.0.0.1", "security": "none", "login": "mira45", "password": "секрет", "active": False}
    head_office.put(f"notifier/mailboxes/{day.mira.id}", box, version=0)
    day.mira.senior.get(f"notifier/mailboxes/{day.mira.id}")
    mail_id = uuid4()
    world.rows(
        "notifier",
        'INSERT INTO inbound_mails (id, office_id, message_id, "references", thread_id, client_id, sender, sender_name,'
        " title, text, attachments, kind, received_at)"
        " VALUES ($1, $2, $3, '[]', $1, $4, $5, 'Петрова', 'Вопрос', 'Когда привезут?', '[]', 'message', now())",
        mail_id,
        day.mira.id,
        f"<{mail_id}@mail.example>",
        day.client.id,
        day.client.email,
    )
    day.mira.senior.get(f"notifier/mails/{mail_id}")
    day.mira.senior.post(f"notifier/mails/{mail_id}/answer", {"text": "Здравствуйте! Привезут завтра."})


def no_more_advertising(world: World, day: Day) -> None:
    """Turn a letter of the day into advertising: nothing sends any yet."""
    [row] = world.rows(
        "notifier",
        "UPDATE notices SET purpose = 'advertising' WHERE id ="
        " (SELECT id FROM notices WHERE client_id = $1 AND channel = 'email' LIMIT 1) RETURNING id",
        day.client.id,
    )
    day.visitor.send("GET", f"notifier/unsubscribe/{row['id']}")
    day.visitor.send("POST", f"notifier/unsubscribe/{row['id']}")
    stop = {"event_id": day.stamp, "phone": day.client.phone, "text": "СТОП"}
    signed_notice(day, "notifier/webhooks/sms", stop, WEBHOOK_SECRET)


def deadlines(day: Day, head_office: Person) -> None:
    senior, manager = day.mira.senior, day.mira.managers[1]
    change_rule(day, day.mira, "INQ-06", {"by_hand": True})
    inquiry = manager.post("orders/inquiries", LETTER)
    clock = open_obligation(day, day.mira, "CALL-12", subject_id=inquiry["id"])
    agreed = datetime.fromisoformat(clock["due_at"]) + timedelta(minutes=10)
    move = {"due_at": agreed.isoformat(), "reason": "Клиент просит ответить позже"}
    senior.post(f"notifier/obligations/{clock['id']}/deadline", move)
    for person in day.mira.managers:
        # One of them is responsible already.
        assignment = {"staff_id": person.id, "reason": "По договорённости"}
        senior.send("POST", f"notifier/obligations/{clock['id']}/assignment", assignment)
    path = f"notifier/obligations/{clock['id']}"
    senior.post(f"{path}/acknowledgement", {"minutes": 30})
    senior.post(f"{path}/waiting", {"holder": "client", "reason": "Уточняем у клиента"})
    head_office.post(f"{path}/office", {"office_id": day.tagil.id, "reason": "Клиент переехал"})
    by_hand = open_obligation(day, day.mira, "INQ-06", subject_id=inquiry["id"])
    senior.post(f"notifier/obligations/{by_hand['id']}/completion", {"comment": "Сделано"})


def absences(day: Day) -> None:
    senior, (absent, substitute) = day.mira.senior, day.mira.managers
    since = datetime.now(UTC) + timedelta(days=1)
    body = {"staff_id": absent.id, "substitute_id": substitute.id, "since": since.isoformat()}
    entered = senior.post("notifier/absences", body | {"until": (since + timedelta(days=7)).isoformat()})
    senior.post(f"notifier/absences/{entered['id']}/end")


def drafts(day: Day, head_office: Person) -> None:
    """Change rules of the other office, on which nothing depends any more."""
    rule = head_office.get("notifier/rules/VIN-05")["items"][-1]["rule"]
    body = rule | {"office_id": day.tagil.id, "penalty_points": 7}
    draft = head_office.post("notifier/rule-drafts", body | {"code": "VIN-05"})
    path = f"notifier/rule-drafts/{draft['id']}"
    head_office.get(path)
    head_office.put(path, body | {"penalty_points": 8}, version=draft["version"])
    head_office.post(f"{path}/check")
    head_office.post(f"{path}/dry-run", {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()})
    head_office.post(f"{path}/publication")
    other = head_office.post("notifier/rule-drafts", body | {"code": "VIN-05"})
    head_office.send("DELETE", f"notifier/rule-drafts/{other['id']}", version=other["version"])


def texts(day: Day, head_office: Person) -> None:
    path, of_tagil = "notifier/templates/information_letter", {"office_id": day.tagil.id}
    source = head_office.get(f"{path}/source", **of_tagil) | of_tagil
    head_office.post(f"{path}/check", source)
    head_office.put(f"{path}/draft", source, version=0)
    head_office.get(f"{path}/draft", **of_tagil)
    head_office.get(f"{path}/draft/preview", **of_tagil)
    head_office.post(f"{path}/publication", of_tagil)
    head_office.post(f"{path}/reset", of_tagil)


def telephone(day: Day) -> None:
    """Report a call to the office, as each telephone exchange does."""
    line, rang_at = day.mira.card["phones"][0], time.time()
    asterisk = {
        "Event": "Newchannel",
        "Linkedid": f"{day.stamp}.1",
        "Uniqueid": f"{day.stamp}.1",
        "CallerIDNum": day.client.phone,
        "Exten": line,
        "Context": "from-trunk",
        "Timestamp": rang_at,
    }
    signed_notice(day, "notifier/webhooks/telephony/asterisk", asterisk, WEBHOOK_SECRET)
    rings = {
        "entry_id": f"{day.stamp}-2",
        "call_state": "Appeared",
        "location": "ivr",
        "timestamp": int(rang_at),
        "from": {"number": day.client.phone.lstrip("+")},
        "to": {"number": line.lstrip("+"), "line_number": line.lstrip("+")},
    }
    content = json.dumps(rings)
    signature = hashlib.sha256(f"{MANGO_KEY}{content}{MANGO_SALT}".encode()).hexdigest()
    form = urlencode({"vpbx_api_key": MANGO_KEY, "sign": signature, "json": content}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    day.visitor.send("POST", "notifier/webhooks/telephony/mango/events/call", content=form, headers=headers)
