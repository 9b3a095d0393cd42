"""The first reasons for refusal (VIN-06): fit for the client, and what the first release had."""

from services.vin.defaults import first_reasons
from services.vin.domain.comment import check_comment
from tests.support.first_release import dumped_rows


def test_they_address_the_client_and_forbid_what_the_regulations_forbid() -> None:
    for reason in first_reasons():
        if reason["allowed"]:
            assert check_comment(reason["text"], must_address=True) == reason["text"]
    assert {reason["label"] for reason in first_reasons() if not reason["allowed"]} == {
        "Клиент не указал сторону",
        "Аксессуар, не базовая комплектация",
    }


def test_they_are_those_of_the_first_release() -> None:
    dumped = [
        {"code": code, "label": label, "allowed": allowed == "true", "text": text}
        for _, code, _, label, allowed, text, _ in dumped_rows("vin", "refusal_reasons")
    ]
    assert first_reasons() == dumped
