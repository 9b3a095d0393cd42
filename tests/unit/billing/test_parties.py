"""Who stands as the buyer in a printed document."""

import pytest

from services.billing.commands.documents import buyer_party
from services.billing.models.documents import Payer
from services.billing.models.projections import Client


@pytest.mark.clause("CL-04")
@pytest.mark.parametrize(("organization", "name"), [("ООО «Ромашка»", "ООО «Ромашка»"), (None, "Петров Пётр")])
def test_a_legal_entity_stands_by_the_name_of_its_organisation(organization: str | None, name: str) -> None:
    client = Client(full_name="Петров Пётр", organization_name=organization, phone="+79031234567")
    assert buyer_party(client, None).name == name


@pytest.mark.clause("BILL-02", "CL-04")
def test_a_payer_stands_before_the_organisation() -> None:
    client = Client(full_name="Петров Пётр", organization_name="ООО «Ромашка»", phone=None)
    payer = Payer(name="ИП Сидоров", inn="500100732259", kpp=None, address="Москва")
    party = buyer_party(client, payer)
    assert (party.name, party.inn) == ("ИП Сидоров", "500100732259")
