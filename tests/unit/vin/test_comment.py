"""Comments: no hidden articles (VIN-03), addressed to the client (VIN-08), no empty excuses (VIN-06)."""

import time

import pytest

from services.vin.domain.article import SeveralArticles
from services.vin.domain.comment import (
    CommentNotAddressed,
    InvalidRefusalReason,
    check_comment,
    refuse_invalid_grounds,
)
from services.vin.domain.hidden_articles import hidden_articles, refuse_hidden_articles

HIDING = [
    ("Есть также GDB1551 в наличии", "GDB1551"),
    ("Рекомендуем Вам GDB 1551, если нужны задние: аналог GDB 1551", "GDB 1551"),
    ("аналог Knecht OC 91", "OC 91"),
    ("Можем предложить замену: TRW GDB1551", "GDB1551"),
    ("или W68", "W68"),
    ("Или 333115 на другую сторону", "333115"),
    ("Артикул второй колодки 06A 115 561 C", "06A 115 561 C"),
    ("Оригинальный номер 26300-35503", "26300-35503"),
    ("Дешевле выйдет 0986494104 от Bosch", "0986494104"),
    ("Ставьте вместе с 1 987 302 042", "1 987 302 042"),
    ("Подходит и 13.0460-7117.2", "13.0460-7117.2"),
    ("для двигателя 1.6 есть GDB1551", "GDB1551"),
    ("вместо него можно 2108-1307010-75", "2108-1307010-75"),
]

HARMLESS = [
    "Колодки передние, с датчиком износа",
    "В комплекте 4 шт., срок 3-5 дней",
    "Цена 1 500 000 руб., предоплата 1500 ₽",
    "Для двигателя 1.6 BSE, выпуск 2004-2013",
    "Выпуск 01.2010-12.2015, с 15.03.2012",
    "Подходит для двигателя 2AZ-FE или 1AZ-FE",
    "двигатель N52B30 или N54B30",
    "Кузов ACV40, коробка U660E",
    "Диаметр диска 280 или 300 мм",
    "Позвоните нам: +7 (912) 123-45-67 или 8 343 123-45-67",
    "Напишите нам на office45@prodetails.example.ru",
    "Шины 205/55R16, диски R16 или R17",
    "Масло 5W-40 или 0W30, антифриз G12 или G13, допуск WSS-M2C913-D",
    "Ваш заказ № 00012345 уже в пути",
    "Подобрали по Вашему VIN XTA21124070445066",
    "Подобрали по раме GX105-6010796",
    "Артикул GDB1550 подходит и на задние тормоза",
    "Гарантия 12 месяцев или 30 000 км пробега",
    "Пробег до 100000 км",
    "Ставится на автомобили до 03.2010 г. в., с 09/2005 по 12/2012",
    "Подходит для ВАЗ-2110, 2111, 2112 и Lada 2113-2115",
    "Двигатель ЗМЗ-40524 или УМЗ 4216",
    "Допуски VW 504.00/507.00, MB 229.51",
    "Резьба М20х1.5 или М18x1",
    "Подобрали по Вашему VIN Z94CB41AAER123456",
    "Для автомобилей с номером VIN до 12345678",
    "Номер двигателя 1234567, ИНН 7707083893",
    "Заказ-наряд № 123456789, скидка по карте 1000123",
    "Толщина 17,5 мм, диаметр 154.9, высота 58.7",
    "Лампа H7 12V 55W",
    "Вместо 5000 руб. — 4500 руб., замена каждые 60000 км",
    "Здравствуйте! Рекомендуем поменять вместе с дисками, 2 шт.",
]


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize(("comment", "article"), HIDING)
def test_a_second_article_in_the_comment_is_found(comment: str, article: str) -> None:
    assert article in hidden_articles(comment, own_articles=["GDB1550"])
    with pytest.raises(SeveralArticles, match="В комментарии указан ещё один артикул"):
        refuse_hidden_articles(comment, own_articles=["GDB1550"])


@pytest.mark.parametrize("comment", HARMLESS)
def test_other_numbers_in_a_comment_pass(comment: str) -> None:
    known = ["XTA21124070445066", "GX105-6010796"]
    assert hidden_articles(comment, own_articles=["GDB1550"], vehicle_ids=known) == []


@pytest.mark.clause("VIN-08")
@pytest.mark.parametrize(
    "comment",
    [
        "Вопрос решен по телефону",
        "Вопрос решён по телефону.",
        "запрос закрыт",
        "Решили по тел",
        "Согласовано по телефону",
        "обсудили по телефону",
        "Клиент передумал",
        "Клиенту сообщил цену",
        "клиент не указал сторону",
        "Перезвонить завтра",
        "Уточнить год выпуска",
        "не дозвонился",
        "Телефон не отвечает",
        "отказ",
        "-",
        "Готово",
        "см. выше",
    ],
)
@pytest.mark.parametrize("must_address", [True, False])
def test_a_note_to_oneself_is_refused_with_a_hint(comment: str, must_address: bool) -> None:
    with pytest.raises(CommentNotAddressed, match="Мы позвоним Вам, как только узнаем срок"):
        check_comment(comment, must_address=must_address)


@pytest.mark.clause("VIN-08")
@pytest.mark.parametrize(
    "comment",
    [
        "Данный запрос мы обсудили с Вами по телефону",
        "К сожалению, деталь снята с производства",
        "Уточните, пожалуйста, год выпуска Вашего автомобиля",
        "Мы не дозвонились Вам: подскажите объём двигателя",
        "Уважаемый клиент, напишите нам объём двигателя",
        "Какая сторона нужна?",
        "Проверьте номер по документам",
    ],
)
def test_a_comment_that_addresses_the_client_passes(comment: str) -> None:
    assert check_comment(f" {comment} ", must_address=True) == comment


@pytest.mark.clause("VIN-08")
def test_a_fact_about_a_part_needs_no_address_but_a_refusal_does() -> None:
    assert check_comment("Передние, с датчиком износа", must_address=False)
    with pytest.raises(CommentNotAddressed, match="не обращено к клиенту"):
        check_comment("Снято с производства", must_address=True)


@pytest.mark.clause("VIN-06")
@pytest.mark.parametrize(
    "comment",
    [
        "Вы не указали сторону",
        "К сожалению, Вы забыли указать сторону установки",
        "Сторона установки Вами не указана",
        "Это аксессуар, такие детали мы не подбираем",
        "Деталь не входит в базовую комплектацию Вашего автомобиля",
    ],
)
def test_a_forgotten_side_or_an_accessory_is_no_ground_for_refusal(comment: str) -> None:
    with pytest.raises(InvalidRefusalReason):
        refuse_invalid_grounds(comment)


def test_other_grounds_pass() -> None:
    refuse_invalid_grounds("К сожалению, деталь снята с производства, поставщики Вам её не привезут")


@pytest.mark.parametrize(
    "hostile", ["1 " * 500, "1" + " " * 998 + "x", "1." * 500, "a" * 1000, "заказ-" * 166, "или A " * 166]
)
def test_a_hostile_comment_costs_no_more_than_any_other(hostile: str) -> None:
    started = time.process_time()
    hidden_articles(hostile)
    assert time.process_time() - started < 0.1
