"""Letters to an office: a real IMAP server, conversations, automatic answers, bounces, and the clock of CALL-12."""

from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifier.inbound.domain import first_line, parse_letter
from services.notifier.inbound.encryption import SecretsKeyMissing, decrypt_secret, encrypt_secret
from shared.persistence.database import new_id
from tests.support.letters import bounce, letter


def test_a_letter_is_read() -> None:
    found = parse_letter(letter(In_Reply_To="<b@x>", References="<a@x> <b@x>", Date="Mon, 23 Nov 2026 10:42:00 +0500"))
    assert (found.sender, found.sender_name, found.title) == ("sergey@example.ru", "Сергей Петров", "Колодки на Камри")
    assert (found.text, found.kind, found.references) == ("Есть ли колодки?", "message", ["<b@x>", "<a@x>"])
    assert found.sent_at is not None and found.sent_at.isoformat() == "2026-11-23T05:42:00+00:00"


@pytest.mark.parametrize(
    ("charset", "body"),
    [
        ("idna", b"text"),
        ("undefined", b"text"),
        ('"utf\x008"', b"text"),
        ("utf-7", b"+2AA- text"),
        ("unicode_escape", b"\\ud800 text"),
        ("x-nobodys", b"text"),
    ],
)
def test_a_letter_in_any_character_set_can_be_kept(charset: str, body: bytes) -> None:
    """One that cannot would be tried again for ever, and no later one would be read."""
    head = "From: a@b.ru\r\nMessage-ID: <c@x>\r\nIn-Reply-To: =?utf-8?q?=3Ca=00b@c=3E?=\r\n"
    head += f"Content-Type: text/plain; charset={charset}"
    found = parse_letter(head.encode() + b"\r\n\r\n" + body)
    assert "text" in found.text
    for kept in (found.text, *found.references):
        assert "\x00" not in kept
        kept.encode()


def test_of_html_only_the_words_are_read() -> None:
    message = EmailMessage()
    message["From"] = "a@example.ru"
    page = "<html><head><style>p {}</style></head><body><p>Добрый&nbsp;день</p><p>Есть <b>фильтр</b>?</p></body></html>"
    message.set_content(page, subtype="html")
    message.add_attachment(b"1", maintype="image", subtype="png", filename="фото.png")
    found = parse_letter(message.as_bytes())
    assert found.text.split() == ["Добрый", "день", "Есть", "фильтр?"]
    assert found.attachments == ["фото.png"]


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "utf-8"])
def test_old_encodings_are_read(charset: str) -> None:
    raw = f"From: a@b.ru\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode() + "Привет".encode(charset)
    assert parse_letter(raw).text == "Привет"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "message"),
        ({"Auto_Submitted": "no"}, "message"),
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"Auto_Submitted": "auto-generated; reason=x"}, "automatic"),
        ({"Precedence": "bulk"}, "automatic"),
        ({"X_Autoreply": "yes"}, "automatic"),
        ({"X_Auto_Response_Suppress": "All"}, "automatic"),
        ({"List_Id": "<news.example.ru>"}, "automatic"),
        ({"From": "Mail Delivery System <MAILER-DAEMON@example.ru>"}, "bounce"),
        ({"Return_Path": "<>"}, "bounce"),
    ],
)
def test_what_no_person_wrote_is_recognized(headers: dict[str, str], kind: str) -> None:
    assert parse_letter(letter(**headers)).kind == kind


def test_a_bounce_names_our_letter_only_when_it_failed_for_good() -> None:
    notice_id = new_id()
    assert parse_letter(bounce(notice_id)).undelivered == str(notice_id)
    assert parse_letter(bounce(notice_id, "delayed")).undelivered is None
    assert parse_letter(letter(f"Message-ID: <{notice_id}@x>\nAction: failed")).undelivered is None


@given(st.binary(max_size=400))
@example(b"text/plain; x*")
@example(b"text/plain; ; *")
@example(b"multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Disposition: attachment; x*\r\n\r\nx")
def test_whatever_bytes_come_a_letter_is_made_of_them(raw: bytes) -> None:
    for content in (raw, b"From: a@b.ru\r\nSubject: =?utf-8?b?" + raw, b"Content-Type: " + raw + b"\r\n\r\n" + raw):
        found = parse_letter(content)
        assert found.message_id and "\x00" not in found.text + found.title + found.sender_name
        (found.text + found.title + found.sender + found.sender_name).encode()


def test_the_first_line_is_the_first_that_says_something() -> None:
    assert first_line("\n  \n СТОП \n> вы писали") == "СТОП"
    assert first_line(" \n") == ""


def test_passwords_are_sealed() -> None:
    sealed = encrypt_secret("key", "пароль")
    assert "пароль".encode() not in sealed and decrypt_secret("key", sealed) == "пароль"
    with pytest.raises(ValueError, match="not the key"):
        decrypt_secret("other", sealed)
    with pytest.raises(SecretsKeyMissing):
        encrypt_secret("", "пароль")
