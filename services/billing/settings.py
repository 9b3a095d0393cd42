from shared.base.settings import Settings


class BillingSettings(Settings):
    acquirer_secret: str = ""
    """Key of the acquirer's signatures; while it is empty every notice is refused."""
