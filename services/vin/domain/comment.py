"""Check that comments address the client (VIN-08) and that a refusal has a reason that counts (VIN-06)."""

import re

from shared.base.errors import BusinessError


class CommentNotAddressed(BusinessError):
    """The comment is not written to the client (VIN-08)."""

    status = 422
    code = "comment-not-addressed"
    title = "Комментарий не обращён к клиенту"


class InvalidRefusalReason(BusinessError):
    """The reason does not count (VIN-06)."""

    status = 422
    code = "invalid-refusal-reason"
    title = "Недопустимая причина отказа"


_SECOND_PERSON = re.compile(r"\b(?:вы|вас|вам|вами|ваш\w*)\b", re.IGNORECASE)
_ADDRESSED = re.compile(
    r"\b(?:вы|вас|вам|вами|ваш\w*|мы|нас|нам|нами|наш\w*|пожалуйста|к сожалению|уважаем\w+|здравствуйте"
    r"|добрый (?:день|вечер)|доброе утро|извините|просим|предлагаем|рекомендуем|советуем|подбер[её]м|можем|сможем"
    r"|сообщим|напишем|позвоним|перезвоним|\w{3,}(?:[иьй]те)(?:сь)?)\b",
    re.IGNORECASE,
)
_CLIENT_AS_A_THIRD = re.compile(r"(?<!\w)(?<!уважаемый )(?<!уважаемая )(?:клиент|покупател)\w*", re.IGNORECASE)
_NOTE_TO_SELF = re.compile(
    r"(?:вопрос|запрос|проблем|заявк)\w*\W+(?:\w+\W+){0,3}?(?:реш[её]н|закры|снят|отработан|обработан|обсу[жд])"
    r"|\b(?:реш(?:или|ено|[её]н)|согласова|обсу[жд]|обговор)\w*\s+(?:\w+\s+)?по\s+тел"
    r"|\b(?:не\s*дозвон|недозвон|абонент|не бер[её]т трубк|сбросил)\w*|тел\w*\.?\s+не\s+отвеча"
    r"|^\s*(?:уточнить|перезвонить|позвонить|узнать|связаться|проверить|подобрать|заказать|отказать|спросить)\b",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"(?:отказ|нет|ок|готово|сделано|закрыто?|см( выше)?|н/?д|уточняется|без комментариев)?", re.IGNORECASE
)
_FORGOTTEN_SIDE = re.compile(
    r"не\s+указа\w*\s+(?:\w+\s+){0,2}сторон|забы\w+\W+(?:\w+\W+){0,4}сторон|сторон\w*\s+(?:\w+\s+){0,3}не\s+указан"
    r"|без\s+(?:указания\s+)?сторон|нет\s+(?:указания\s+)?сторон",
    re.IGNORECASE,
)
_ACCESSORY = re.compile(r"аксессуар|не\s+(?:\w+\s+){0,2}базов\w*\s+комплектац", re.IGNORECASE)

_EXAMPLE = "Пишите так, как сказали бы клиенту: «Мы позвоним Вам, как только узнаем срок»."


def check_comment(comment: str, *, must_address: bool) -> str:
    """Return a comment, stripped; `must_address` demands an address to the client (VIN-08).

    A fact about the part («Передние, с датчиком износа») needs none, a refusal does.
    Raises CommentNotAddressed with a hint.
    """
    text = comment.strip()
    if _SAYS_NOTHING.fullmatch(text.replace(".", "").strip(" !-—")) or not re.search(r"\w", text):
        raise CommentNotAddressed(f"«{text[:60]}» ничего не говорит клиенту. {_EXAMPLE}")
    if match := _CLIENT_AS_A_THIRD.search(text):
        raise CommentNotAddressed(f"«{match[0]}» читает это сам: обратитесь к нему на «Вы». {_EXAMPLE}")
    if _NOTE_TO_SELF.search(text) and not _SECOND_PERSON.search(text):
        raise CommentNotAddressed(f"«{text[:60]}» — заметка для себя, а не ответ. {_EXAMPLE}")
    if must_address and not _ADDRESSED.search(text) and not text.endswith("?"):
        raise CommentNotAddressed(f"«{text[:60]}» не обращено к клиенту. {_EXAMPLE}")
    return text


def refuse_invalid_grounds(comment: str) -> None:
    """Refuse excuses in the comment of an allowed reason (VIN-06).  Raises InvalidRefusalReason."""
    if _FORGOTTEN_SIDE.search(comment):
        raise InvalidRefusalReason(
            "Забытая сторона установки — не причина для отказа: предложите детали на обе стороны, "
            "каждую своей строкой, или задайте вопрос после звонка, на который клиент не ответил."
        )
    if _ACCESSORY.search(comment):
        raise InvalidRefusalReason(
            "Аксессуар или деталь не из базовой комплектации — не причина для отказа: подберите артикул."
        )
