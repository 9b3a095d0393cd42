"""Requisites are checked by their check digits; real published numbers pass, every single typing mistake is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.vocabulary.requisites import (
    check_account,
    check_bic,
    check_correspondent_account,
    check_inn,
    check_kpp,
    check_ogrn,
)
from tests.support.requisites import account_with_key, correspondent_account_with_key

SBERBANK = "044525225"
SBERBANK_CORRESPONDENT = "30101810400000000225"
digits = st.text(alphabet="0123456789", min_size=20, max_size=20)


@pytest.mark.parametrize("inn", ["7707083893", "7728168971", "500100732259", "9909000011"])
def test_a_published_inn_passes(inn: str) -> None:
    assert check_inn(inn) == inn


@pytest.mark.parametrize(
    "inn",
    [
        "",
        "7707083894",
        "770708389",
        "77070838931",
        "0000000000",
        "000000000000",
        "500100732258",
        "500100732269",
        " 7707083893",
        "7707083893\n",
        "77О7083893",
        "٧٧٠٧٠٨٣٨٩٣",
        "7707083893\0",
    ],
)
def test_a_wrong_inn_is_refused_in_russian(inn: str) -> None:
    with pytest.raises(ValueError, match="ИНН"):
        check_inn(inn)


@pytest.mark.parametrize("kpp", ["773601001", "7736AB001", "540201001"])
def test_a_kpp_may_hold_latin_letters_in_its_reason(kpp: str) -> None:
    assert check_kpp(kpp) == kpp


@pytest.mark.parametrize("kpp", ["", "77360100", "7736010011", "7736ab001", "77A601001", "000001001", "7736АВ001"])
def test_a_wrong_kpp_is_refused_in_russian(kpp: str) -> None:
    with pytest.raises(ValueError, match="КПП"):
        check_kpp(kpp)


@pytest.mark.parametrize("ogrn", ["1027700132195", "1027739609391", "304500116000157"])
def test_a_published_ogrn_passes(ogrn: str) -> None:
    assert check_ogrn(ogrn) == ogrn


@pytest.mark.parametrize(
    "ogrn",
    ["", "1027700132196", "102770013219", "10277001321951", "0027700132195", "2027700132195", "304500116000158"],
)
def test_a_wrong_ogrn_is_refused_in_russian(ogrn: str) -> None:
    with pytest.raises(ValueError, match="ОГРН"):
        check_ogrn(ogrn)


def test_an_entrepreneurs_ogrn_with_a_remainder_above_nine_uses_its_last_digit() -> None:
    number = next(n for n in range(30450011600000, 30450011600100) if n % 13 == 11)
    assert check_ogrn(f"{number}1") == f"{number}1"


@pytest.mark.parametrize("bic", ["044525225", "044525974", "017003983", "004525988"])
def test_a_published_bic_passes(bic: str) -> None:
    assert check_bic(bic) == bic


@pytest.mark.parametrize("bic", ["", "04452522", "0445252250", "944525225", "000000000", "04452522О"])
def test_a_wrong_bic_is_refused_in_russian(bic: str) -> None:
    with pytest.raises(ValueError, match="БИК"):
        check_bic(bic)


@pytest.mark.parametrize(
    ("bic", "account"),
    [
        (SBERBANK, SBERBANK_CORRESPONDENT),
        ("044525974", "30101810145250000974"),
        ("044525593", "30101810200000000593"),
        ("017003983", "40102810445370000059"),
        ("004525988", "40102810545370000003"),
    ],
)
def test_a_published_correspondent_account_passes(bic: str, account: str) -> None:
    assert check_correspondent_account(bic, account) == account


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("", "20 цифр"),
        ("3010181040000000022", "20 цифр"),
        ("40702810400000000225", "начинается с 301"),
        ("30101810400000000226", "совпадать"),
        ("30101810500000000225", "Ключ"),
    ],
)
def test_a_wrong_correspondent_account_is_refused_with_the_reason(account: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_correspondent_account(SBERBANK, account)


@pytest.mark.parametrize(
    ("bic", "account"),
    [
        ("049805000", "40702810900000000001"),
        ("004525988", "03100643000000017300"),
    ],
)
def test_accounts_outside_banks_have_rules_of_their_own(bic: str, account: str) -> None:
    """A settlement centre's key includes its own number; a treasury account has no key."""
    valid = account if account.startswith("03") else account_with_key(bic, account)
    assert check_account(bic, valid) == valid


@pytest.mark.parametrize(
    ("bic", "account", "reason"),
    [
        (SBERBANK, "", "20 цифр"),
        (SBERBANK, "00000000000000000000", "20 цифр"),
        (SBERBANK, SBERBANK_CORRESPONDENT, "корреспондентский счёт банка"),
        (SBERBANK, "4070281000000000000\N{ARABIC-INDIC DIGIT ONE}", "20 цифр"),
        ("04452522", "40702810000000000001", "БИК"),
    ],
)
def test_a_wrong_account_is_refused_with_the_reason(bic: str, account: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_account(bic, account)


def test_the_key_is_a_worked_example_of_the_bank_of_russia() -> None:
    """The products' last digits are 5 (centre 005), 1 3 1 4 7 1 8 6: 36, so the key is 6 × 3 = 18, that is 8."""
    assert correspondent_account_with_key("049805000", "30101810000000000746") == "30101810800000000746"


@given(st.sampled_from([SBERBANK, "044525974", "046577795"]), digits)
def test_a_computed_key_passes_and_every_other_key_does_not(bic: str, number: str) -> None:
    valid = account_with_key(bic, "40702" + number[5:])
    assert check_account(bic, valid) == valid
    for key in set("0123456789") - {valid[8]}:
        with pytest.raises(ValueError, match="Ключ"):
            check_account(bic, valid[:8] + key + valid[9:])


@given(st.integers(0, 9), st.integers(0, 19))
def test_one_mistyped_digit_is_always_seen(digit: int, place: int) -> None:
    valid = account_with_key(SBERBANK, "40702810038000012345")
    mistyped = valid[:place] + str(digit) + valid[place + 1 :]
    if mistyped == valid:
        return
    with pytest.raises(ValueError, match=r"Ключ|корреспондентский"):
        check_account(SBERBANK, mistyped)
