"""Figures of the regulations as data with an effective date, which head office edits.

Each class is the shape of one policy's data; `POLICIES` names them.  The first versions stand in
`services/orders/defaults/policies.toml`.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.orders.domain.comments import addresses_the_client
from shared.vocabulary.fields import Code, Percent, Reason

Words = Reason
Roubles = Annotated[Decimal, Field(ge=0, le=99_999_999, decimal_places=2)]
Days = Annotated[int, Field(ge=0, le=3650)]


class PolicyData(BaseModel):
    """What all policies share: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class PrepaymentPolicy(PolicyData):
    """Which price levels order without prepayment (ORD-12, K13)."""

    exempt_categories: list[Code] = Field(max_length=50)

    def prepaid(self, category: str) -> bool:
        """Return whether clients of a price level pay before the order goes to a supplier."""
        return category not in self.exempt_categories


class RemovalReason(PolicyData):
    """A reason for removal: code, text for the client, phrases that may stand in an edited text (K4)."""

    code: Code
    label: Words
    text: Words
    samples: list[Words] = Field(default=[], max_length=20)
    automatic: bool = False

    @model_validator(mode="after")
    def _written_to_the_client(self) -> Self:
        if not addresses_the_client(self.text, self.samples):
            raise ValueError(f"текст причины «{self.code}» должен обращаться к клиенту")
        return self


class RemovalPolicy(PolicyData):
    """The reasons for removal (ORD-08), one of which is automatic (ORD-07)."""

    reasons: list[RemovalReason] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len({reason.code for reason in self.reasons}) != len(self.reasons):
            raise ValueError("коды причин повторяются")
        if sum(reason.automatic for reason in self.reasons) != 1:
            raise ValueError("ровно одна причина должна быть автоматической (ORD-07)")
        return self

    def reason(self, code: str) -> RemovalReason | None:
        """Return the reason of a code."""
        return next((reason for reason in self.reasons if reason.code == code), None)

    @property
    def automatic(self) -> RemovalReason:
        """Return the reason of the removal by the clock (ORD-07)."""
        return next(reason for reason in self.reasons if reason.automatic)


class MarkPolicy(PolicyData):
    """Sums in roubles over which an inquiry is VIP (INQ-04), under which it is BAD (INQ-05)."""

    vip_over: Roubles
    bad_under: Roubles


class LostReason(PolicyData):
    """Why an inquiry was lost (INQ-03)."""

    code: Code
    label: Words


class InquiryPolicy(PolicyData):
    """Reasons of lost inquiries, sums of the marks, days of the payment task (INQ-03, INQ-04, INQ-05, INQ-06)."""

    marks: MarkPolicy
    lost_reasons: list[LostReason] = Field(min_length=1, max_length=50)
    payment_check_days: Days

    def lost_reason(self, code: str) -> LostReason | None:
        """Return the reason of a code."""
        return next((reason for reason in self.lost_reasons if reason.code == code), None)


class PercentRange(PolicyData):
    """A range of percentages, both ends included: «20–25 %»."""

    at_least: Percent
    at_most: Percent

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_least > self.at_most:
            raise ValueError("нижняя граница больше верхней")
        return self

    def __str__(self) -> str:
        return f"{self.at_least}" if self.at_least == self.at_most else f"{self.at_least}–{self.at_most}"


PartKind = Literal["consumable", "body", "individual", "rare", "other"]


class LaterDiscount(PolicyData):
    """A discount on later orders.  K8, in part: a percentage with its scope, without a validity."""

    percent: PercentRange
    scope: Literal["next_order", "all_orders"]


class Band(PolicyData):
    """One row of the matrix (RET-02, RET-03, RET-04, RET-05, RET-06).

    Half-open: over `over`, up to and including `upto` (K6).
    """

    clause: Words
    over: Roubles
    upto: Roubles | None
    kinds: list[PartKind]
    """Kinds of parts that get the offer; other kinds follow the band without it (K16)."""
    discount: PercentRange | None = None
    price: Literal["none", "purchase", "below_purchase"] = "none"
    """Whether the client may be offered the purchase price, or less, instead of the discount."""
    price_agreed_by_director: bool = False
    commission: bool = False
    later: LaterDiscount | None = None
    decides: Literal["manager", "director"]
    application: Literal["simple", "detailed"]


class ReturnRights(PolicyData):
    """What the law grants a consumer, whatever the matrix says."""

    consumer_kinds: list[Code]
    distance_kinds: list[Code]
    distance_days: Days
    exchange_days: Days


class ReturnPolicy(PolicyData):
    """The matrix, whose bands leave no gap (K6), and the consumer's rights."""

    bands: list[Band] = Field(min_length=1, max_length=20)
    rights: ReturnRights

    @model_validator(mode="after")
    def _bands_without_gaps(self) -> Self:
        if self.bands[0].over != 0 or self.bands[-1].upto is not None:
            raise ValueError("полосы начинаются с 0 и не ограничены сверху")
        for lower, upper in zip(self.bands, self.bands[1:], strict=False):
            if lower.upto is None or lower.upto != upper.over or lower.upto <= lower.over:
                raise ValueError("полосы следуют одна за другой без пропусков и наложений")
        return self

    def band(self, amount: Decimal) -> Band:
        """Return the band of a sum in roubles."""
        return next(band for band in self.bands if band.upto is None or amount <= band.upto)


class StatisticsPolicy(PolicyData):
    """Over how many last days «96/3» is computed (ORD-16); the regulations give no figure."""

    days: Annotated[int, Field(ge=1, le=3650)]


class PolicyCode(StrEnum):  # noqa: D101 (a docstring would be published as the schema's description)
    PREPAYMENT = "prepayment"
    REMOVAL = "removal"
    INQUIRIES = "inquiries"
    RETURNS = "returns"
    STATISTICS = "statistics"


POLICIES: dict[PolicyCode, type[PolicyData]] = {
    PolicyCode.PREPAYMENT: PrepaymentPolicy,
    PolicyCode.REMOVAL: RemovalPolicy,
    PolicyCode.INQUIRIES: InquiryPolicy,
    PolicyCode.RETURNS: ReturnPolicy,
    PolicyCode.STATISTICS: StatisticsPolicy,
}
