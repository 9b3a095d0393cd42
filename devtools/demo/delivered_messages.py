"""Letters and SMS as they arrived: the demo's mailbox and the SMS gateway's simulator, read over HTTP."""

from collections.abc import Callable
from typing import Any

import httpx

from devtools.demo.failure import DemoFailed
from devtools.demo.waiting import until

Message = dict[str, Any]


class DeliveredMessages:
    def __init__(self, mailbox_url: str, sms_url: str) -> None:
        self._http = httpx.Client(timeout=10, trust_env=False)
        self._mailbox = f"{mailbox_url}/api/messages"
        self._sms = f"{sms_url}/api/messages"

    def letters(self, *, to: str = "", subject: str = "") -> list[Message]:
        """Return letters, oldest first; `to` and `subject` are substrings, case ignored."""
        found = self._list(self._mailbox, {"to": to, "subject": subject, "limit": 1000})
        return found[::-1]

    def letter(
        self, *, to: str, subject: str = "", where: Callable[[Message], bool] = lambda _: True, seconds: float = 30
    ) -> Message:
        """Wait for the one letter.  Raises DemoFailed when there is none or more than one."""
        found = until(
            f"письмо «{subject}» для {to}",
            lambda: [letter for letter in self.letters(to=to, subject=subject) if where(letter)],
            seconds=seconds,
        )
        if len(found) != 1:
            raise DemoFailed(f"писем «{subject}» для {to} не одно, а {len(found)}")
        return found[0]

    def attachment(self, letter: Message, number: int = 0) -> tuple[str, bytes]:
        """Return name and content of an attachment."""
        answer = self._http.get(f"{self._mailbox}/{letter['id']}/attachments/{number}")
        answer.raise_for_status()
        return letter["attachments"][number]["name"], answer.content

    def sms(self, phone: str, *, containing: str, seconds: float = 30) -> Message:
        """Wait for the one SMS.  Raises DemoFailed when there is none or more than one."""
        found = until(
            f"SMS «{containing}» на {phone}",
            lambda: [sms for sms in self._list(self._sms, {"phone": phone}) if containing in sms["text"]],
            seconds=seconds,
        )
        if len(found) != 1:
            raise DemoFailed(f"SMS «{containing}» на {phone} не одно, а {len(found)}")
        return found[0]

    def _list(self, url: str, query: dict[str, Any]) -> list[Message]:
        try:
            answer = self._http.get(url, params=query)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"почта демонстрации не отвечает: {error!r}") from error
        found: list[Message] = answer.json()
        return found
