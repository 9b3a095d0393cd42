"""What callers send: request bodies, one per use case."""

from typing import Any

from pydantic import (
    Field,
)

from services.orders.schemas.fields import Moment, examples
from shared.web import Input


class NewPolicy(Input):
    """Новая версия правила; состав `data` — как у прежней версии."""

    model_config = examples({"data": {"exempt_categories": ["opt5", "opt10"]}})

    effective_from: Moment | None = Field(default=None, description="По умолчанию — сейчас")
    data: dict[str, Any]
