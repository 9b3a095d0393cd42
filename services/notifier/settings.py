"""Settings of `notifier`, prefix `REGLAMENT_`."""

from pydantic import Field, model_validator

from shared.base.settings import Settings


class NotifierSettings(Settings):
    mail_from: str = "no-reply@reglament.localhost"
    """The envelope's sender; the visible name is the office's."""
    sms_url: str = "http://127.0.0.1:8026"
    """The gateway: `smsc+https://login:password@smsc.ru`, `smsru+https://api_id@sms.ru` or
    `smpp://system_id:password@host:port`; a plain address is SMSC.ru's protocol with the login and password below."""
    sms_fallback_url: str = ""
    """A second gateway of another kind, for what the first one has surely not taken."""
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
    digest_seconds: float = Field(default=300, ge=0)
    """The usual pause between two letters about deadlines to a person; what comes meanwhile is collected.  2 in the
    demonstration."""
    calendar_duties: bool = True
    """Reports and checks that come by the calendar; off in the demonstration, whose offices have no evenings."""
    webhook_secret: str = ""
    """Key of the signatures of incoming SMS and of Asterisk's calls; while it is empty every such notice is refused."""
    mango_key: str = ""
    mango_salt: str = ""
    """Key and salt of Mango Office's notices; while one is empty every notice is refused."""
    secrets_key: str = ""
    """What passwords of mailboxes are encrypted with; without it none can be stored."""
    imap_poll_seconds: float = Field(default=30, gt=0)
    """Pause between two looks into a mailbox."""
    imap_timeout_seconds: float = Field(default=60, gt=0)

    @model_validator(mode="after")
    def _otherwise_in_the_demonstration(self) -> "NotifierSettings":
        if self.demo and "digest_seconds" not in self.model_fields_set:
            self.digest_seconds = 2.0
        if self.demo and "calendar_duties" not in self.model_fields_set:
            self.calendar_duties = False
        return self
