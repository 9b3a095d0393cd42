"""The first version of every policy: valid, and what the first release had."""

import json

import pytest

from services.orders.defaults import first_policies
from services.orders.domain.policies import POLICIES, PolicyCode, RemovalPolicy
from tests.support.first_release import dumped_rows

REWORDED = {"discussed": "Об этом заказе мы с Вами договорились по телефону."}
"""Reasons whose text a new installation has in other words than the first release."""


def test_there_is_one_for_every_policy() -> None:
    assert first_policies().keys() == POLICIES.keys()


@pytest.mark.parametrize("code", POLICIES)
def test_it_is_valid(code: PolicyCode) -> None:
    POLICIES[code].model_validate(first_policies()[code])


def test_they_are_those_of_the_first_release() -> None:
    dumped = {str(code): json.loads(str(data)) for code, _, data, *_ in dumped_rows("orders", "policy")}
    for reason in dumped["removal"]["reasons"]:
        reason["text"] = REWORDED.get(reason["code"], reason["text"])
    assert first_policies() == dumped


def test_the_reasons_of_removal_have_the_prescribed_wording() -> None:
    policy = RemovalPolicy.model_validate(first_policies()["removal"])
    assert policy.automatic.text == "Заявка не актуальна, свяжитесь с менеджером"
    assert {sample for reason in policy.reasons for sample in reason.samples} == {
        "не поступила предоплата",
        "деталь не применима к вашему автомобилю",
    }
