"""What people type for VIN and FRAME (CL-15, VIN-01)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vininfo.dicts import COUNTRIES

from shared.vocabulary.countries import RUSSIAN_NAMES
from shared.vocabulary.vehicles import Correction, UnreadableNumber, describe_vin, read_frame, read_vin

VIN_SIGNS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@pytest.mark.clause("CL-15")
@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("XTA210990Y2766389", "XTA210990Y2766389"),
        ("  xta 210990 y2766389 ", "XTA210990Y2766389"),
        ("XTA-210990-Y2766389", "XTA210990Y2766389"),
        ("ХТА210990У2766389", "XTA210990Y2766389"),
        ("хта210990у2766389", "XTA210990Y2766389"),
        ("WВАVD13516КХ32185", "WBAVD13516KX32185"),
        ("00000000000000000", "00000000000000000"),
    ],
)
def test_a_vin_is_read_as_it_was_meant(typed: str, value: str) -> None:
    assert read_vin(typed).value == value


def test_russian_look_alikes_are_repaired_and_shown() -> None:
    reading = read_vin("ХTА210990Y2766389")
    assert reading.value == "XTA210990Y2766389"
    assert reading.corrections == (Correction(1, "Х", "X"), Correction(3, "А", "A"))
    assert reading.explanation() == (
        "Русские буквы заменены похожими латинскими (1-й знак: русская «Х», 3-й знак: русская «А»). "
        "Проверьте номер: XTA210990Y2766389"
    )


def test_all_eleven_look_alikes_are_known() -> None:
    reading = read_vin("АВЕКМНРСТУХ123456")
    assert reading.value == "ABEKMHPCTYX123456"
    assert len(reading.corrections) == 11


def test_a_clean_vin_needs_no_explanation() -> None:
    assert read_vin("XTA210990Y2766389").explanation() is None


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("XTA21O990Y2766389", "XTA210990Y2766389"),
        ("XTA21О990Y2766389", "XTA210990Y2766389"),
        ("XTA2I0990Y2766389", "XTA210990Y2766389"),
        ("ХТА2IО99ОУ2766389", "XTA210990Y2766389"),
    ],
)
def test_letters_that_a_vin_never_has_are_suggested_as_digits(typed: str, suggestion: str) -> None:
    with pytest.raises(UnreadableNumber) as refused:
        read_vin(typed)
    assert refused.value.suggestion == suggestion
    assert suggestion in refused.value.message
    assert read_vin(suggestion).value == suggestion


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "XTA210990Y276638",
        "XTA210990Y27663890",
        "XTA210990Q2766389",
        "XTA2109Ж0Y2766389",
        "XTA210990Y276638/",
        "٠" * 17,
    ],
)
def test_what_cannot_be_guessed_is_asked(typed: str) -> None:
    with pytest.raises(UnreadableNumber) as refused:
        read_vin(typed)
    assert refused.value.suggestion is None
    assert refused.value.message


def test_the_check_digit_is_not_enforced() -> None:
    for ninth in "0123456789X":
        assert read_vin(f"XTA21099{ninth}Y2766389").value[8] == ninth


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("GX105-6010796", "GX105-6010796"),
        ("gx105 6010796", "GX105-6010796"),
        ("GX105 – 6010796", "GX105-6010796"),
        ("GХ105—6010796", "GX105-6010796"),
        ("FD3S-100001", "FD3S-100001"),
        ("CN9A-0001234", "CN9A-0001234"),
        ("ВNR32-000001", "BNR32-000001"),
    ],
)
def test_a_frame_is_a_type_of_its_own(typed: str, value: str) -> None:
    assert read_frame(typed).value == value


def test_a_letter_in_the_serial_number_of_a_frame_is_suggested_as_a_digit() -> None:
    with pytest.raises(UnreadableNumber, match="8-й знак — 0") as refused:
        read_frame("GX105-6O10796")
    assert refused.value.suggestion == "GX105-6010796"


@pytest.mark.parametrize(
    "typed", ["", "6010796", "GX1056010796", "105-6010796", "GX105-60", "GX105-6010796-1", "Ж-123456"]
)
def test_what_is_no_frame_is_refused(typed: str) -> None:
    with pytest.raises(UnreadableNumber) as refused:
        read_frame(typed)
    assert refused.value.suggestion is None


def test_a_vin_tells_country_and_year() -> None:
    facts = describe_vin("XTA210990Y2766389")
    assert (facts.country, facts.manufacturer, facts.years) == ("Россия", "AvtoVAZ", [2000])
    assert describe_vin("Z94CB41AACR000001").manufacturer is None
    assert describe_vin("JTDBR32E720000001").country == "Япония"


@given(st.text(alphabet=VIN_SIGNS, min_size=17, max_size=17))
def test_every_well_formed_vin_can_be_described(vin: str) -> None:
    assert read_vin(vin).value == vin
    describe_vin(vin)


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_explained(text: str) -> None:
    for read in (read_vin, read_frame):
        try:
            value = read(text).value
        except UnreadableNumber as refused:
            assert refused.message
            if refused.suggestion is not None:
                assert read(refused.suggestion).value == refused.suggestion
        else:
            assert read(value).value == value


def test_every_country_has_a_russian_name() -> None:
    assert set(COUNTRIES.values()) <= set(RUSSIAN_NAMES)
