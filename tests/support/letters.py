"""Letters as clients and mail servers send them."""

from email import policy
from email.message import EmailMessage
from uuid import UUID

from shared.persistence.database import new_id


def letter(text: str = "Есть ли колодки?", **headers: str) -> bytes:
    message = EmailMessage(policy=policy.SMTP)
    usual = {
        "From": "Сергей Петров <sergey@example.ru>",
        "To": "mira45@example.ru",
        "Subject": "Колодки на Камри",
        "Message-ID": f"<{new_id()}@example.ru>",
    }
    for name, value in {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


def bounce(notice_id: UUID, action: str = "failed") -> bytes:
    return (
        "From: MAILER-DAEMON@example.ru\r\nSubject: Undelivered\r\nMessage-ID: <"
        + str(new_id())
        + "@mx>\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.ru\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{notice_id}@reglament.localhost>\r\n--b--\r\n"
    ).encode()
