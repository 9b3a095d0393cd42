"""Who is notified: absences and substitutes."""

from services.notifier.clock.domain.ladder import Person, resolve_recipients, with_substitutes
from shared.persistence.database import new_id

OFFICE = new_id()


def person(role: str) -> Person:
    return Person(new_id(), OFFICE, role, role, f"{role}@example.ru")


def test_without_a_substitute_the_next_level_is_notified() -> None:
    manager, senior, director = person("manager"), person("senior_manager"), person("director")
    there, substitutes = with_substitutes([manager, senior, director], {senior.id: None})
    assert resolve_recipients("senior_manager", OFFICE, None, there) == ("director", [director])
    assert substitutes == {}


def test_a_substitute_acts_in_the_role_of_the_absent_and_is_notified_once() -> None:
    manager, senior = person("manager"), person("senior_manager")
    there, substitutes = with_substitutes([manager, senior], {senior.id: manager.id})
    role, recipients = resolve_recipients("senior_manager", OFFICE, None, there)
    assert (role, [one.id for one in recipients]) == ("senior_manager", [manager.id])
    assert substitutes == {senior.id: manager.id}
    twice, _ = with_substitutes([manager, person("manager"), senior], {senior.id: manager.id})
    assert len(resolve_recipients("director", OFFICE, None, twice)[1]) == 1
