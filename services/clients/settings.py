"""Settings of `clients`."""

from pydantic import Field

from shared.base.settings import Settings


class ClientsSettings(Settings):
    confirmation_hours: int = Field(default=24, ge=1)
    """How long the link that confirms an e-mail works."""
