"""What a line may be answered with: offers (VIN-02), an allowed refusal (VIN-06) or a question (VIN-07); K17."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from services.vin.domain.article import check_article, compact
from services.vin.domain.brand import check_brand
from services.vin.domain.comment import InvalidRefusalReason, check_comment, refuse_invalid_grounds
from services.vin.domain.hidden_articles import refuse_hidden_articles
from services.vin.domain.labels import PreferenceCode
from shared.base.errors import BusinessError


class DuplicateOffer(BusinessError):
    """A line offers the same article twice (VIN-03)."""

    status = 422
    code = "duplicate-offer"
    title = "Деталь предложена дважды"


class PreferenceNotHonoured(BusinessError):
    """The answer ignores the client's preference (VIN-02)."""

    status = 422
    code = "preference-not-honoured"
    title = "Ответ не учитывает пожелание клиента"


class CallNotLogged(BusinessError):
    """There is no call that the client did not answer (VIN-07)."""

    code = "call-not-logged"
    title = "Нет звонка, на который клиент не ответил"


class AnswerIncomplete(BusinessError):
    """A line has no answer (K17)."""

    code = "answer-incomplete"
    title = "Ответ не закончен"


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """An offer: one part of one maker, the price in roubles, the term in days."""

    article: str
    brand: str
    description: str
    price: Decimal | None = None
    term_days: int | None = None
    comment: str | None = None
    original: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for refusal as head office has set it (VIN-06)."""

    label: str
    allowed: bool
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the client, as the log has it."""

    outcome: str
    called_at: datetime


@dataclass(frozen=True, slots=True)
class LineDraft:
    """A line of a request and whether it is answered."""

    ordinal: int
    text: str
    answered: bool


def check_offers(
    offers: Sequence[OfferDraft],
    *,
    preference: PreferenceCode,
    preference_note: str | None,
    vehicle_ids: Iterable[str],
) -> list[OfferDraft]:
    """Return the offers as they are stored, in the order in which the client reads them (VIN-02, VIN-03, VIN-08).

    Raises SeveralArticles, NotAnArticle, SeveralMakers, NotAMaker, CommentNotAddressed, DuplicateOffer,
    PreferenceNotHonoured.
    """
    numbers = tuple(vehicle_ids)
    checked = [_check_offer(offer, numbers) for offer in offers]
    keys = [(compact(offer.article), offer.brand.casefold()) for offer in checked]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            offer = checked[index]
            raise DuplicateOffer(f"{offer.brand} {offer.article} указана в этой строке дважды.")
    others = [offer for offer in checked if not offer.original]
    if preference is PreferenceCode.ORIGINAL_ONLY and others and not preference_note:
        raise PreferenceNotHonoured(
            f"Клиент просил только оригинал, а {others[0].brand} {others[0].article} — не оригинал. "
            "Объясните клиенту почему: заполните пояснение preference_note."
        )
    if preference is PreferenceCode.MINIMUM_PRICE:
        # Offers without a price go last: they may be expensive.
        checked.sort(key=lambda offer: (offer.price is None, offer.price or Decimal(0)))
    return checked


def check_preference_note(note: str, vehicle_ids: Iterable[str]) -> str:
    """Check the note on why the client's preference could not be honoured (VIN-02).

    Raises SeveralArticles, CommentNotAddressed.
    """
    refuse_hidden_articles(note, vehicle_ids=vehicle_ids)
    return check_comment(note, must_address=True)


def check_refusal(reason: Reason, comment: str | None, vehicle_ids: Iterable[str]) -> str:
    """Return the refusal that the client reads: the employee's words or else the reason's own text (VIN-06).

    Raises InvalidRefusalReason, SeveralArticles, CommentNotAddressed.
    """
    if not reason.allowed:
        raise InvalidRefusalReason(f"«{reason.label}» — не причина для отказа. {reason.text}")
    if comment is None:
        return reason.text
    refuse_invalid_grounds(comment)
    refuse_hidden_articles(comment, vehicle_ids=vehicle_ids)
    return check_comment(comment, must_address=True)


def check_question(
    question: str,
    *,
    attempt: Call | None,
    last_conversation_at: datetime | None,
    submitted_at: datetime,
    vehicle_ids: Iterable[str],
) -> str:
    """Check a question, which is allowed only after a call that the client did not answer (VIN-07).

    The call belongs to this client; `last_conversation_at` is when the client last answered the phone.

    Raises CallNotLogged, SeveralArticles, CommentNotAddressed.
    """
    if attempt is None:
        raise CallNotLogged("Сначала позвоните клиенту и запишите звонок в журнал: такого звонка этому клиенту нет.")
    if attempt.outcome != "no_answer":
        raise CallNotLogged("На этот звонок клиент ответил: вопрос задают, только когда телефон не отвечает.")
    # Staff enter the time of a call in whole minutes.
    if attempt.called_at < submitted_at.replace(second=0, microsecond=0):
        raise CallNotLogged("Этот звонок был до запроса. Позвоните клиенту ещё раз и запишите звонок в журнал.")
    if last_conversation_at is not None and last_conversation_at > attempt.called_at:
        raise CallNotLogged("После этого звонка клиент на связь вышел: уточните по телефону и подберите артикул.")
    refuse_hidden_articles(question, vehicle_ids=vehicle_ids)
    return check_comment(question, must_address=True)


def check_complete(lines: Sequence[LineDraft]) -> None:
    """Demand offers, a refusal or a question in every line (K17).  Raises AnswerIncomplete with the open lines."""
    if not lines:
        raise AnswerIncomplete("В запросе нет ни одной строки.", open_lines=[])
    if missing := [line for line in lines if not line.answered]:
        names = "; ".join(f"{line.ordinal}. {line.text[:60]}" for line in missing[:5])
        raise AnswerIncomplete(
            f"Без ответа строк: {len(missing)} ({names}). У каждой строки должны быть артикул, "
            "причина отказа или вопрос.",
            open_lines=[line.ordinal for line in missing],
        )


def _check_offer(offer: OfferDraft, vehicle_ids: Sequence[str]) -> OfferDraft:
    brand = check_brand(offer.brand, offer.article)
    article = check_article(offer.article, brand)
    refuse_hidden_articles(offer.description, own_articles=[article], vehicle_ids=vehicle_ids)
    comment = offer.comment or None
    if comment is not None:
        refuse_hidden_articles(comment, own_articles=[article], vehicle_ids=vehicle_ids)
        comment = check_comment(comment, must_address=False)
    price = None if offer.price is None else offer.price.quantize(Decimal("0.01"))
    return replace(offer, article=article, brand=brand, price=price, comment=comment)
