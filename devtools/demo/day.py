"""State that the steps of the day pass on."""

from dataclasses import dataclass, field
from pathlib import Path

from devtools.demo.delivered_messages import DeliveredMessages
from devtools.demo.http import JSON, Person
from devtools.demo.transcript import Transcript


@dataclass(frozen=True, slots=True)
class DemoTarget:
    """The system's address and its operator's passwords."""

    url: str
    mailbox_url: str
    sms_url: str
    head_office_login: str
    head_office_password: str
    acquirer_secret: str


@dataclass(slots=True)
class Office:
    """An office and its people, all signed in."""

    card: JSON
    senior: Person
    managers: list[Person]
    director: Person | None
    emails: dict[str, str]
    """Id of a person -> e-mail address."""

    @property
    def id(self) -> str:
        return str(self.card["id"])

    @property
    def name(self) -> str:
        return str(self.card["name"])

    @property
    def email(self) -> str:
        return str(self.card["email"])

    def email_of(self, person: Person) -> str:
        return self.emails[person.id]

    def person(self, staff_id: str) -> Person:
        """Return the employee with this id.  Raises StopIteration when the office has none."""
        return next(found for found in [*self.managers, self.senior] if found.id == staff_id)


@dataclass(slots=True)
class Client:
    """A client who is signed in."""

    person: Person
    email: str
    phone: str

    @property
    def id(self) -> str:
        return self.person.id


@dataclass(slots=True)
class Day:
    """What the steps have made so far: a step reads what earlier ones made and adds its own."""

    target: DemoTarget
    output: Path
    show: Transcript
    post: DeliveredMessages
    visitor: Person

    run: int = field(init=False)
    """Number of the run on this data, from 1."""
    stamp: str = field(init=False)
    """Part of every e-mail address of this run, which distinguishes its letters from those of other runs."""
    documents: list[Path] = field(init=False, default_factory=list)

    head_office: Person = field(init=False)
    mira: Office = field(init=False)
    """«ПроДеталь-Мира 45», where the day happens."""
    tagil: Office = field(init=False)
    """«Нижний Тагил, ул. Фестивальная, 5а», an office without a director."""
    client: Client = field(init=False)
    manager: Person = field(init=False)
    """The client's responsible manager (CL-10)."""
    vehicle: JSON = field(init=False)
    vin_request: JSON = field(init=False)
    order: JSON = field(init=False)
    """The order of steps 3–6."""
    invoice: JSON = field(init=False)
    shipment: JSON = field(init=False)

    def save(self, name: str, content: bytes, what: str, *clauses: str) -> Path:
        """Write a document into the output folder and show it."""
        path = self.output / name
        path.write_bytes(content)
        self.documents.append(path)
        self.show.document(path, what, *clauses)
        return path

    def order_now(self) -> JSON:
        """Read the order as the manager sees it now."""
        return self.manager.get(f"orders/orders/{self.order['id']}")
