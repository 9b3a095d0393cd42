"""The edges of reading a letter: what is cut where, which header speaks, and which program wrote it."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.notifier.inbound.domain import MAX_TEXT, Letter, first_line, parse_letter

NOTICE = UUID(int=0x1234)


def letter(*headers: str, body: str = "Текст") -> Letter:
    """The letter as parsed, from its headers and its body."""
    return parse_letter("\r\n".join([*headers, "", body]).encode())


def html(page: str) -> str:
    return letter("Content-Type: text/html; charset=utf-8", body=page).text


def test_every_header_is_read() -> None:
    found = letter(
        "From: Ivan <Ivan@Example.COM>, Other <o@example.com>",
        "Message-ID:   <Own@Example>",
        "In-Reply-To: <c@x>",
        "References: <a@x> <b@x> <c@x>",
        "Subject: Hello   world",
        "Date: Mon, 16 Mar 2026 14:30:00 +0500",
    )
    assert found == Letter(
        message_id="<Own@Example>",
        references=["<c@x>", "<b@x>", "<a@x>"],
        sender="ivan@example.com",
        sender_name="Ivan",
        title="Hello world",
        text="Текст",
        attachments=[],
        kind="message",
        sent_at=datetime(2026, 3, 16, 9, 30, tzinfo=UTC),
        undelivered=None,
    )


def test_a_bare_letter_is_known_by_what_it_is_made_of() -> None:
    raw = b"\r\nword"
    found = parse_letter(raw)
    expected = f"<{hashlib.sha256(raw).hexdigest()}@no-message-id>"
    assert found == Letter(expected, [], "", "", "", "word", [], "message", None, None)


def test_long_values_are_cut() -> None:
    found = letter(
        f"From: {'n' * 300} <{'a' * 400}@x>",
        f"Message-ID: <{'i' * 300}>",
        f"Subject: {'s' * 400}",
        "References: " + " ".join(f"<{number}@x>" for number in range(60)),
        body="t" * (MAX_TEXT + 1),
    )
    assert (len(found.sender), len(found.sender_name), len(found.title)) == (320, 200, 300)
    assert found.message_id == f"<{'i' * 300}>"
    assert found.references == [f"<{number}@x>" for number in range(59, 9, -1)]
    assert len(found.text) == MAX_TEXT


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: Auto-Generated; owner=x",
        "Precedence: bulk",
        "Precedence: JUNK",
        "Precedence: list",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Autorespond: yes",
        "X-Auto-Response-Suppress: All",
        "List-Id: <l>",
        "List-Unsubscribe: <https://x>",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
    ],
)
def test_one_sign_of_a_program_is_enough(header: str) -> None:
    assert letter("From: a@x", header).kind == "automatic"


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: no", "Auto-Submitted: No; x=y", "Precedence: normal", "Return-Path: <a@x>", "X-Other: y"],
)
def test_these_headers_a_person_s_letter_has_too(header: str) -> None:
    assert letter("From: a@x", header).kind == "message"


@pytest.mark.parametrize(
    "headers",
    [
        ["From: Mailer-Daemon@x"],
        ["From: postmaster@x"],
        ["From: a@x", "Return-Path: <>"],
        ["From: a@x", "Content-Type: multipart/report; report-type=Delivery-Status; boundary=b"],
    ],
)
def test_one_sign_of_a_bounce_is_enough(headers: list[str]) -> None:
    assert letter(*headers).kind == "bounce"


@pytest.mark.parametrize(
    ("sender", "action", "named"),
    [
        ("mailer-daemon@x", "failed", str(NOTICE)),
        ("mailer-daemon@x", "FAILED", str(NOTICE)),
        ("mailer-daemon@x", "delayed", None),
        ("a@x", "failed", None),
    ],
)
def test_only_a_final_bounce_names_our_letter(sender: str, action: str, named: str | None) -> None:
    body = f"Action: {action}\r\n\r\nMessage-ID: <{str(NOTICE).upper()}@reglament>"
    assert letter(f"From: {sender}", body=body).undelivered == named


def test_our_id_in_the_bounce_s_own_headers_is_not_the_letter_that_failed() -> None:
    own = f"Message-ID: <{NOTICE}@reglament>"
    assert letter("From: mailer-daemon@x", own, body="Action: failed").undelivered is None


def test_of_a_page_only_what_is_seen_is_read() -> None:
    page = "<head><title>T</title></head><style>s</style><script>x</script><p>one</p><b>two</b>  \t three"
    assert html(page) == "one" + "two three"
    assert html("a<br>b<div>c</div>d<tr>e<li>f") == "a\nb\ncd\ne\nf"
    assert html("a<p></p><p> </p><p>b") == "a\n\nb"
    assert html("</style>seen") == "seen"


def test_the_plain_text_is_preferred_to_the_page() -> None:
    body = "\r\n".join(
        [
            *("--b", "Content-Type: text/html", "", "<p>page</p>"),
            *("--b", "Content-Type: text/plain", "", "plain", "--b--"),
        ]
    )
    assert letter('Content-Type: multipart/alternative; boundary="b"', body=body).text == "plain"


def test_a_text_loses_nulls_and_returns() -> None:
    assert letter(body="  one\r\ntwo\x00  ").text == "one\ntwo"


def test_attachments_are_named() -> None:
    parts = [
        *("--b", "Content-Type: text/plain", "", "see"),
        *("--b", 'Content-Disposition: attachment; filename="a  b.pdf"', "", "1"),
        *("--b", "Content-Disposition: attachment", "", "2"),
        *("--b", f'Content-Disposition: attachment; filename="{"n" * 201}"', "", "3", "--b--"),
    ]
    found = letter('Content-Type: multipart/mixed; boundary="b"', body="\r\n".join(parts))
    assert found.attachments == ["a b.pdf", "без имени", "n" * 200]
    many = ["--b", "", "see", *(["--b", "Content-Disposition: attachment", "", "x"] * 51), "--b--"]
    assert len(letter('Content-Type: multipart/mixed; boundary="b"', body="\r\n".join(many)).attachments) == 50


def test_a_character_set_that_does_not_exist_is_read_as_utf_8() -> None:
    assert letter("Content-Type: text/plain; charset=x-none").text == "Текст"
    assert parse_letter(b"Content-Type: text/plain; charset=cp1251\r\n\r\n\xcf").text == "П"


def test_the_first_line_is_stripped() -> None:
    assert first_line("\n  \n  one  \ntwo") == "one"
    assert first_line(" \n") == ""
