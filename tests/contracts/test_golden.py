"""A published event keeps its promise for ever."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.contracts import EVENT_TYPES
from tests.contracts import golden as files
from tests.contracts import update as updating
from tests.contracts.examples import EXAMPLES
from tests.contracts.golden import Golden, breaking_changes, current_schema, read_all, revisions, unprotected_fields

GOLDEN = read_all()

every_golden_file = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.path.stem)
every_event = pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))


def test_every_event_has_a_golden_file_and_every_golden_file_an_event() -> None:
    assert {golden.type for golden in GOLDEN} == set(EVENT_TYPES)


def test_golden_files_are_named_after_their_event() -> None:
    for golden in GOLDEN:
        assert re.fullmatch(rf"{re.escape(golden.type)}(\.r[2-9])?\.json", golden.path.name)


@every_event
def test_an_event_s_name_tells_service_aggregate_fact_and_version(event_type: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z_]+\.v\d+", event_type)
    module = EVENT_TYPES[event_type].__module__.rpartition(".")[2]
    assert event_type.startswith(f"{module}.")
    assert EVENT_TYPES[event_type].subject_field in EVENT_TYPES[event_type].model_fields


@every_golden_file
def test_nothing_published_was_removed_renamed_retyped_or_made_required(golden: Golden) -> None:
    assert breaking_changes(golden.schema, current_schema(golden.type)) == []


@every_event
def test_the_newest_golden_file_protects_every_field(event_type: str) -> None:
    added = unprotected_fields(revisions(event_type)[-1].schema, current_schema(event_type))
    assert not added, f"run python -m tests.contracts.update, these fields are new: {added}"


@every_golden_file
def test_a_golden_message_is_read_and_says_the_same_when_it_is_written_again(golden: Golden) -> None:
    event = EVENT_TYPES[golden.type].model_validate_json(json.dumps(golden.payload))
    assert _without_later_fields(event.model_dump(mode="json"), golden.payload) == golden.payload


@every_golden_file
def test_fields_of_a_newer_producer_are_ignored_at_any_depth(golden: Golden) -> None:
    newer = _with_an_unknown_field(golden.payload)
    event = EVENT_TYPES[golden.type].model_validate(newer)
    assert event == EVENT_TYPES[golden.type].model_validate(golden.payload)


def test_the_story_s_examples_are_of_one_office() -> None:
    assert len({event.office_id for event in EXAMPLES}) == 1


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "amount": {"type": "string"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "method": {"enum": ["cash", "card"], "type": "string"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"article": {"type": "string"}, "price": {"type": "string"}},
                "required": ["article"],
            },
        },
    },
    "required": ["amount", "method", "lines"],
}


def _removed(schema: dict[str, Any]) -> None:
    del schema["properties"]["note"]


def _renamed(schema: dict[str, Any]) -> None:
    schema["properties"]["sum"] = schema["properties"].pop("amount")


def _retyped(schema: dict[str, Any]) -> None:
    schema["properties"]["amount"] = {"type": "number"}


def _made_required(schema: dict[str, Any]) -> None:
    schema["required"].append("note")


def _added_as_required(schema: dict[str, Any]) -> None:
    schema["properties"]["currency"] = {"type": "string"}
    schema["required"].append("currency")


def _made_optional(schema: dict[str, Any]) -> None:
    schema["required"].remove("method")


def _value_taken_away(schema: dict[str, Any]) -> None:
    schema["properties"]["method"]["enum"] = ["cash"]


def _no_longer_null(schema: dict[str, Any]) -> None:
    schema["properties"]["note"] = {"type": "string"}


def _removed_inside(schema: dict[str, Any]) -> None:
    del schema["properties"]["lines"]["items"]["properties"]["price"]


def _required_inside(schema: dict[str, Any]) -> None:
    schema["properties"]["lines"]["items"]["required"].append("price")


@pytest.mark.parametrize(
    "change",
    [
        _removed,
        _renamed,
        _retyped,
        _made_required,
        _added_as_required,
        _made_optional,
        _value_taken_away,
        _no_longer_null,
        _removed_inside,
        _required_inside,
    ],
)
def test_a_breaking_change_is_found(change: Any) -> None:
    changed = copy.deepcopy(SCHEMA)
    change(changed)
    assert len(breaking_changes(SCHEMA, changed)) >= 1


def test_a_new_optional_field_breaks_nothing_and_asks_for_a_golden_file() -> None:
    changed = copy.deepcopy(SCHEMA)
    changed["properties"]["lines"]["items"]["properties"]["comment"] = {"type": "string"}
    assert breaking_changes(SCHEMA, changed) == []
    assert unprotected_fields(SCHEMA, changed) == ["lines.comment"]
    assert unprotected_fields(SCHEMA, SCHEMA) == []


@pytest.fixture
def somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "DIRECTORY", tmp_path)
    monkeypatch.setattr(updating, "DIRECTORY", tmp_path)
    return tmp_path


def test_updating_adds_what_is_missing_and_leaves_what_is_there(somewhere_else: Path) -> None:
    assert set(updating.update()) == {f"{event_type}.json" for event_type in EVENT_TYPES}
    before = {path.name: path.read_bytes() for path in somewhere_else.iterdir()}
    (somewhere_else / "vin.request.answered.v1.json").unlink()
    assert updating.update() == ["vin.request.answered.v1.json"]
    assert updating.update() == []
    assert {path.name: path.read_bytes() for path in somewhere_else.iterdir()} == before


def _change_first_revision(directory: Path, change: Any) -> bytes:
    path = directory / "vin.request.answered.v1.json"
    content = json.loads(path.read_text())
    change(content["schema"])
    path.write_text(json.dumps(content))
    return path.read_bytes()


def test_an_added_field_gets_a_revision_beside_the_first_file(somewhere_else: Path) -> None:
    updating.update()
    first = _change_first_revision(somewhere_else, lambda schema: schema["properties"].pop("answer_number"))
    assert updating.update() == ["vin.request.answered.v1.r2.json"]
    assert (somewhere_else / "vin.request.answered.v1.json").read_bytes() == first
    assert updating.update() == []


def test_a_breaking_change_cannot_be_updated_away(somewhere_else: Path) -> None:
    updating.update()
    _change_first_revision(somewhere_else, lambda schema: schema["required"].remove("number"))
    with pytest.raises(ValueError, match="number became required"):
        updating.update()


def _without_later_fields(written: Any, known: Any) -> Any:
    if isinstance(written, dict) and isinstance(known, dict):
        return {name: _without_later_fields(value, known[name]) for name, value in written.items() if name in known}
    if isinstance(written, list) and isinstance(known, list):
        return [_without_later_fields(one, other) for one, other in zip(written, known, strict=True)]
    return written


def _with_an_unknown_field(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_an_unknown_field(item) for item in value]
    # Dates are the keys of a map, which has no fields.
    if isinstance(value, dict) and not any(re.match(r"\d{4}-", key) for key in value):
        return {name: _with_an_unknown_field(item) for name, item in value.items()} | {"from_the_future": [1]}
    return value
