"""The words by which cards are found.

Row-level security lets an index serve only comparisons that leak nothing, which rules out full-text search and LIKE:
so the words stand in a table, and a beginning is a range of them.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Index, Text, delete, event, insert, inspect
from sqlalchemy.orm import Mapped, Mapper, mapped_column

from services.clients.domain.search import search_words
from services.clients.models.base import Base
from services.clients.models.cards import Client
from shared.persistence.database import ClientOwned

FIELDS = ("full_name", "organization_name", "email", "login", "phone")


class ClientWord(ClientOwned, Base):
    """A word of a card; the listeners below rewrite it with the card."""

    __tablename__ = "client_words"

    client_id: Mapped[UUID] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


Index("ix_client_words_office", ClientWord.office_id, ClientWord.word)
Index("ix_client_words_network", ClientWord.word)


@event.listens_for(Client, "after_insert")
@event.listens_for(Client, "after_update")
def _keep_words(_mapper: Mapper[Any], connection: Connection, client: Client) -> None:
    state = inspect(client)
    if not any(state.attrs[field].history.has_changes() for field in FIELDS):
        return
    words = search_words(*(getattr(client, field) for field in FIELDS))
    connection.execute(delete(ClientWord).where(ClientWord.client_id == client.client_id))
    rows = [{"client_id": client.client_id, "office_id": client.office_id, "word": word} for word in sorted(words)]
    if rows:
        connection.execute(insert(ClientWord), rows)
