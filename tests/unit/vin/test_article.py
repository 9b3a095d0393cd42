"""One line, one part (VIN-03): tables of real numbers and of real mistakes."""

import pytest

from services.vin.domain.article import NotAnArticle, SeveralArticles, check_article, compact
from services.vin.domain.brand import NotAMaker, SeveralMakers, check_brand

ONE_ARTICLE = [
    ("06A 115 561 B", "VAG"),
    ("8K0 698 151 F", "VAG"),
    ("N 908 132 02", "VAG"),
    ("N 0138 157", "VAG"),
    ("WHT 005 190 A", "VAG"),
    ("G 013 A8J M1", "VAG"),
    ("G A13 A8J M1", "VAG"),
    ("1 987 302 041", "Bosch"),
    ("0 986 494 104", "Bosch"),
    ("0986494104", "Bosch"),
    ("F 026 400 123", "Bosch"),
    ("F 00M 145 225", "Bosch"),
    ("FR7DC+", "Bosch"),
    ("FR 7 DC +", "Bosch"),
    ("GDB1550", "TRW"),
    ("GDB 1550", "TRW"),
    ("JTE 1045", "TRW"),
    ("K015603XS", "Gates"),
    ("K 015603 XS", "Gates"),
    ("6PK1195", "Gates"),
    ("5PK 1100", "Contitech"),
    ("CT 1028 K3", "Contitech"),
    ("OC 90", "Knecht/Mahle"),
    ("OC 90 OF", "Knecht/Mahle"),
    ("OX 153/7D2", "Knecht"),
    ("OX 171/2D Eco", "Mahle"),
    ("LX 1566/4", "Knecht"),
    ("LAK 63/S", "Mahle"),
    ("KC 102/1", "Mahle"),
    ("W 719/30", "Mann-Filter"),
    ("W719/30", "MANN"),
    ("W 712/11", "MANN"),
    ("C 25 114/1", "Mann-Filter"),
    ("W 11 102/36", "Mann-Filter"),
    ("C 2860/1", "Mann-Filter"),
    ("HU 718/1 k", "Mann-Filter"),
    ("CU 2545-2", "Mann-Filter"),
    ("W 68", "Mann-Filter"),
    ("OP 526/1", "Filtron"),
    ("E63H D54", "Hengst"),
    ("E 26H D83", "Hengst"),
    ("E115H01 D208", "Hengst"),
    ("OE207/T10", "Champion"),
    ("RC12YC/T10", "Champion"),
    ("F102/606", "Champion"),
    ("A 000 180 26 09", "Mercedes-Benz"),
    ("A2058856038 9999", "Mercedes-Benz"),
    ("11 42 7 953 129", "BMW"),
    ("90915-YZZE1", "Toyota"),
    ("90915 10003", "Toyota"),
    ("04152-YZZA1", "Toyota"),
    ("54500 2B000", "Hyundai/Kia"),
    ("26300-35503", "Hyundai/Kia"),
    ("15400-RBA-F01", "Honda"),
    ("15400 PLM A02", "Honda"),
    ("51306 SNA A01", "Honda"),
    ("15208-65F0A", "Nissan"),
    ("15208 AA130", "Subaru"),
    ("MD 360935", "Mitsubishi"),
    ("LF10 13 215", "Mazda"),
    ("GHP9-33-28ZA", "Mazda"),
    ("1S7G 6714 AA", "Ford"),
    ("77 01 208 265", "Renault"),
    ("8200 768 927", "Renault"),
    ("1109.AY", "Peugeot/Citroen"),
    ("1109 CK", "Citroen"),
    ("96 535 062", "GM"),
    ("VKMA 01113", "SKF"),
    ("VKMC 01113-1", "SKF"),
    ("6205-2RSH/C3", "SKF"),
    ("6205-2Z/VA201", "SKF"),
    ("32008 X/Q", "SKF"),
    ("LM11749/LM11710", "Timken"),
    ("LM11749/11710", "Koyo"),
    ("L44649/10", "Timken"),
    ("13.0460-7117.2", "ATE"),
    ("09.A417.11", "Brembo"),
    ("P 85 020", "Brembo"),
    ("100 115 0022", "Meyle"),
    ("624 3046 00", "LuK"),
    ("3000 951 210", "Sachs"),
    ("26768 01", "Lemforder"),
    ("339700", "KYB"),
    ("BKR6E-11", "NGK"),
    ("BKR 6 E 11", "NGK"),
    ("W20EPR-U11", "Denso"),
    ("2108-1307010-75", "ВАЗ"),
    ("21120370701000", "ВАЗ"),
    ("406.1111010-10", "ЗМЗ"),
    ("А17ДВРМ", "Энгельс"),
    ("H7", "Narva"),
]

SEVERAL = [
    "GDB1550, GDB1551",
    "GDB1550,GDB1551",
    "GDB1550; GDB1551",
    "GDB1550/GDB1551",
    "GDB1550 / GDB1551",
    "GDB1550/ 1551",
    "GDB1550 GDB1551",
    "GDB1550\nGDB1551",
    "GDB1550\r\nGDB1551",
    "GDB1550\tGDB1551",
    "GDB1550 или GDB1551",
    "GDB1550 ИЛИ P 85 020",
    "GDB1550 либо 1551",
    "GDB1550 и GDB1551",
    "GDB1550 or GDB1551",
    "GDB1550 аналог P85020",
    "GDB1550 замена GDB1551",
    "GDB1550 (GDB1551)",
    "GDB1550(GDB1551)",
    "GDB1550 + GDB1551",
    "GDB1550+GDB1551",
    "GDB1550|GDB1551",
    "GDB1550\\GDB1551",
    "GDB1550 & GDB1551",
    "GDB1550=GDB1551",
    "GDB1550-GDB1551",
    "GDB1550 - GDB1551",
    "GDB1550 — GDB1551",
    "GDB1550\u00a0GDB1551",
    "GDB 1550 GDB 1551",
    "GDB1550 P 85 020",
    "GDB1550 передние GDB1551 задние",
    "OC 90 OC 91",
    "OC90 OC91",
    "OC90 W68",
    "OC 90 OX 153",
    "OC 90/W 719/30",
    "W719/30/OC90",
    "W 719/30 W 712/75",
    "W 719/30, OC 90",
    "333114/333115",
    "333114/115",
    "333114 333115",
    "333114 339700",
    "26768 26769",
    "4851009J50 4852009J50",
    "48510-09J50/48520-09J50",
    "48510-09J50 48520-09J50",
    "54500-2B000/54501-2B000",
    "2108-1307010 2112-1307010",
    "06A 115 561 B, 06A 115 561 C",
    "06A 115 561 B 06A 115 562",
    "06A 115 561 B / OC 90",
    "06A115561B 06A115562",
    "1 987 302 041 1 987 302 042",
    "1 987 302 041 GDB1550",
    "GDB1550 1 987 302 041",
    "1987302041 OC 90",
    "K015603XS; VKMA 01113; CT1028K3",
]

NO_ARTICLE = [
    "уточнить",
    "нет",
    "см. комментарий",
    "-",
    "GDB1550 передние",
    "GDB1550 2 шт",
    "GDB1550 (передние)",
    "GDB1550,",
    "арт. GDB1550",
    "арт: GDB1550",
    "№ 333114",
    '"GDB1550"',
    "/GDB1550",
    "GDB1550/",
    "TRW GDB1550",
    "GDB1550 TRW",
    "5",
    "1" * 25,
    "GDB_1550",
    "GDB1550?",
    "GDB1550 <b>",
]


@pytest.mark.parametrize(("article", "brand"), ONE_ARTICLE)
def test_a_real_article_passes_as_it_is_written(article: str, brand: str) -> None:
    assert check_article(article, brand) == article


@pytest.mark.clause("VIN-03")
@pytest.mark.parametrize("text", SEVERAL)
def test_several_articles_in_one_line_are_refused(text: str) -> None:
    with pytest.raises(SeveralArticles):
        check_article(text, "TRW")


@pytest.mark.parametrize("text", NO_ARTICLE)
def test_the_article_field_takes_nothing_but_an_article(text: str) -> None:
    with pytest.raises(NotAnArticle):
        check_article(text, "TRW")


def test_the_refusal_names_what_was_squeezed() -> None:
    with pytest.raises(SeveralArticles, match="«GDB1550», «GDB1551»: одна строка — одна деталь"):
        check_article("GDB1550, GDB1551", "TRW")


@pytest.mark.parametrize(
    ("typed", "brand", "stored"),
    [
        ("  GDB1550 ", "TRW", "GDB1550"),
        ("06A  115\u00a0561  B", "VAG", "06A 115 561 B"),
        ("CU 2545—2", "MANN", "CU 2545-2"),
        ("ОС 90", "Knecht", "OC 90"),
        ("А17ДВРМ", "Bosch", "А17ДВРМ"),
        ("АК-2105", "СОАТЭ", "АК-2105"),
    ],
)
def test_an_article_is_stored_tidily(typed: str, brand: str, stored: str) -> None:
    assert check_article(typed, brand) == stored


def test_the_same_article_is_recognised_in_any_spelling() -> None:
    assert compact("06a 115-561.b") == compact("06A115561B") == "06A115561B"


@pytest.mark.parametrize(
    "brand",
    [
        "TRW", "Mann-Filter", "Hyundai/Kia", "Knecht/Mahle", "Peugeot/Citroen", "Febi Bilstein", "K&N", "Herth+Buss",
        "Magneti Marelli", "A.B.S.", "555", "3M", "Land Rover", "Hans Pries/Topran", "Victor Reinz", "ВАЗ",
        "Behr-Hella", "VW/Audi", "Liqui Moly", "Mahle / Knecht",
    ],
)  # fmt: skip
def test_one_maker_passes_under_its_joint_name_too(brand: str) -> None:
    assert check_brand(brand, "GDB1550") == brand


@pytest.mark.parametrize(
    "brand",
    ["TRW/Bosch", "TRW, Bosch", "TRW; ATE", "TRW или Bosch", "TRW Bosch", "Knecht/Bosch", "TRW\nATE", "Hyundai/Toyota",
     "TRW|Brembo", "ATE и TRW"],
)  # fmt: skip
def test_several_makers_are_refused(brand: str) -> None:
    with pytest.raises(SeveralMakers):
        check_brand(brand, "GDB1550")


@pytest.mark.parametrize("brand", ["оригинал", "Аналог", "любой", "-", "gdb1550", "нет", "OEM"])
def test_a_maker_is_a_name(brand: str) -> None:
    with pytest.raises(NotAMaker):
        check_brand(brand, "GDB1550")
