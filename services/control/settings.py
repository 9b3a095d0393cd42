"""Settings of control beside the kernel's."""

from typing import Self

from pydantic import SecretStr, model_validator

from shared.base.settings import SERVICES, Settings


class ControlSettings(Settings):
    head_office_login: str | None = None
    """With `head_office_password`: the first account of the network, made at the start where there is none."""
    head_office_password: SecretStr | None = None
    head_office_email: str | None = None
    """Where the last level of escalation writes (NTF-03); may be left out when the login is an address."""
    orders_url: str | None = None
    vin_url: str | None = None
    billing_url: str | None = None
    notifier_url: str | None = None
    """Where head office's board queries the other services (ADR 0010); the default is under `public_url`."""
    board_timeout_seconds: float = 2.0

    @model_validator(mode="after")
    def _head_office_can_be_written_to(self) -> Self:
        if self.head_office_login and not self.head_office_email:
            if "@" not in self.head_office_login:
                raise ValueError("set REGLAMENT_HEAD_OFFICE_EMAIL, for REGLAMENT_HEAD_OFFICE_LOGIN is not an address")
            self.head_office_email = self.head_office_login
        return self

    @property
    def service_urls(self) -> dict[str, str]:
        public = self.public_url.rstrip("/")
        return {
            service: (getattr(self, f"{service}_url") or f"{public}/api/{service}").rstrip("/") for service in SERVICES
        }
