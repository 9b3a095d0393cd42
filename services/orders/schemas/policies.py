"""Bodies of policies."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from services.orders.domain.policies import PolicyCode
from services.orders.schemas.fields import Moment, examples
from shared.web import Input, Output


class NewPolicy(Input):
    """Новая версия правила; состав `data` — как у прежней версии."""

    model_config = examples({"data": {"exempt_categories": ["opt5", "opt10"]}})

    effective_from: Moment | None = Field(default=None, description="По умолчанию — сейчас")
    data: dict[str, Any]


class PolicyOut(Output):
    code: PolicyCode
    effective_from: datetime
    data: dict[str, Any]
    created_by: UUID | None
    created_at: datetime
