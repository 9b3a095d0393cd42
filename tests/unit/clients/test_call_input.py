"""What the entry about a call may say."""

import pytest
from pydantic import ValidationError

from services.clients.domain.call_log import RATING_LABELS
from services.clients.schemas.work import CALL, LogCall


@pytest.mark.clause("CL-12")
@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5, None])
def test_a_conversation_is_rated_from_1_to_5(rating: int | None) -> None:
    assert LogCall.model_validate(CALL | {"rating": rating}).rating == rating


@pytest.mark.clause("CL-12")
@pytest.mark.parametrize("rating", [-1, 0, 6, 9])
def test_no_other_rating_is_taken(rating: int) -> None:
    with pytest.raises(ValidationError) as refused:
        LogCall.model_validate(CALL | {"rating": rating})
    assert [error["loc"] for error in refused.value.errors()] == [("rating",)]


@pytest.mark.clause("CL-12")
def test_every_rating_has_its_words() -> None:
    assert list(RATING_LABELS) == [1, 2, 3, 4, 5]


@pytest.mark.clause("CL-13")
def test_an_entry_takes_how_the_client_came_to_know_of_the_shop() -> None:
    assert LogCall.model_validate(CALL | {"source": "листовка"}).source == "листовка"
