"""What callers send: request bodies, one per use case."""

from services.orders.schemas.fields import Comment, Email, Phone, examples
from shared.web import Input, ShortText


class SupplierBody(Input):
    """Новый поставщик офиса."""

    model_config = examples({"name": "Автотрейд", "email": "zakaz@autotrade.example", "phone": "+74951234567"})

    name: ShortText
    email: Email
    phone: Phone | None = None
    note: Comment | None = None


class SupplierChange(Input):
    """Меняется только то, что передано."""

    name: ShortText | None = None
    email: Email | None = None
    phone: Phone | None = None
    note: Comment | None = None
    active: bool | None = None
