"""Field types that several services share, and what services make of them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.clients.schemas import fields as of_clients
from services.control.schemas import fields as of_control
from shared.vocabulary import fields


def read(field: Any, typed: Any) -> Any:
    return TypeAdapter(field).validate_python(typed)


def test_a_zone_has_a_name_of_the_zone_database() -> None:
    for field in (fields.TimeZone, of_clients.TimeZone, of_control.TimeZone):
        assert read(field, "Asia/Yekaterinburg") == "Asia/Yekaterinburg"
        for wrong in ("", "UTC+5", "Asia", "../../etc/passwd", "asia/yekaterinburg"):
            with pytest.raises(ValidationError, match="часовой пояс"):
                read(field, wrong)


def test_an_instant_names_its_offset_and_stays_inside_the_calendar() -> None:
    moment = datetime(1900, 1, 1, tzinfo=UTC)
    assert read(fields.Moment, moment) == moment
    for wrong in ("0001-01-01T00:00:00Z", "2201-01-01T00:00:00Z", "2026-03-14T13:45:00"):
        with pytest.raises(ValidationError):
            read(fields.Moment, wrong)


def test_a_moment_of_the_clients_service_is_of_this_century_and_in_utc() -> None:
    read_in_tagil = read(of_clients.Moment, "2026-03-14T18:45:00+05:00")
    assert (read_in_tagil.isoformat(), read_in_tagil.tzinfo) == ("2026-03-14T13:45:00+00:00", UTC)
    for wrong in (datetime(1999, 12, 31, tzinfo=UTC), datetime(2100, 1, 1, 1, tzinfo=timezone(timedelta(hours=-5)))):
        with pytest.raises(ValidationError, match="границ"):
            read(of_clients.Moment, wrong)


def test_a_place_of_the_clients_service_stands_on_one_line() -> None:
    assert read(of_clients.PlaceName, "Нижний \n Тагил") == "Нижний Тагил"
    assert read(fields.PlaceName, "Нижний  Тагил") == "Нижний  Тагил"


def test_a_phone_of_an_office_may_have_an_extension_and_that_of_a_client_not() -> None:
    assert read(of_control.Phone, "+7 343 200-00-00 доб. 12") == "+73432000000"
    with pytest.raises(ValidationError, match="номер"):
        read(of_clients.Phone, "+7 343 200-00-00 доб. 12")


def test_an_address_is_kept_as_typed_and_compared_in_lower_case_by_the_clients_service() -> None:
    assert read(fields.Email, "Petrov.A@mail.example") == "Petrov.A@mail.example"
    assert read(of_clients.Email, "Petrov.A@mail.example") == "petrov.a@mail.example"


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        (fields.Inn, "7707083893", "7707083894"),
        (fields.Kpp, "773601001", "7736"),
        (fields.Ogrn, "1027700132195", "1027700132196"),
        (fields.Bic, "044525225", "944525225"),
        (fields.Code, "not_paid", "Not paid"),
        (fields.Percent, 100, 101),
        (fields.TermDays, 365, 366),
        (fields.ModelYear, 1900, 1899),
        (fields.VehicleNumber, "GX105-6010796", "X" * 41),
        (fields.Article, "04465-33471", ""),
        (fields.Brand, "Toyota", "T" * 101),
        (fields.Comment, "к" * 1000, "к" * 1001),
        (fields.Reason, "п" * 500, "п" * 501),
        (fields.Address, "ул. Мира, 45", "а" * 501),
        (fields.AccountNumber, "4" * 20, "4" * 21),
        (fields.CurrentPassword, "п", ""),
    ],
)
def test_a_field_takes_what_fits_and_refuses_the_rest(field: Any, right: Any, wrong: Any) -> None:
    assert read(field, right) == right
    with pytest.raises(ValidationError):
        read(field, wrong)
