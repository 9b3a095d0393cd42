"""Signing in as staff, the first account of the network, passwords, and being out after a dismissal (ORG-02)."""

import pytest

from services.control.settings import ControlSettings


def test_a_login_that_is_no_address_needs_a_mailbox_for_head_office(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGLAMENT_HEAD_OFFICE_LOGIN", "boss")
    with pytest.raises(ValueError, match="REGLAMENT_HEAD_OFFICE_EMAIL"):
        ControlSettings()
    monkeypatch.setenv("REGLAMENT_HEAD_OFFICE_EMAIL", "boss@prodetal.example")
    assert ControlSettings().head_office_email == "boss@prodetal.example"
