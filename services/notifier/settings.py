"""Settings of `notifier`, prefix `REGLAMENT_`."""

from pydantic import Field

from shared.settings import Settings


class NotifierSettings(Settings):
    mail_from: str = "no-reply@reglament.localhost"
    """The envelope's sender; the visible name is the office's."""
    sms_url: str = "http://127.0.0.1:8026"
    """Base address of a gateway that speaks the protocol of SMSC.ru."""
    sms_login: str = ""
    sms_password: str = ""
    sms_sender: str = ""
    send_timeout_seconds: float = Field(default=60, gt=0)
    """For one notice, from connecting to the server's answer."""
    sending_lease_seconds: float = Field(default=180, gt=0)
    """A notice that stays in `sending` longer than this has lost its process: its outcome is unknown."""
    sms_poll_seconds: float = Field(default=15, gt=0)
    """First interval of asking for delivery; it doubles up to an hour."""
    merge_seconds: float = Field(default=2, ge=0)
    """How long a letter about positions waits for further positions of the same order."""
