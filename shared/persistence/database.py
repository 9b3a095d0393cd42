"""Engines, sessions and the office isolation that every query passes through.

Isolation has two layers, each sufficient alone: the ORM adds a filter to every statement about an owned table,
and PostgreSQL's row-level security (`shared.persistence.migrations.isolate_by_office`) stands underneath.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

import uuid_utils
from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Uuid, bindparam, event, false
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    class_mapper,
    declared_attr,
    mapped_column,
    registry,
    with_loader_criteria,
)
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.elements import ColumnElement

from shared.persistence.connections import Connections
from shared.persistence.scope import NETWORK, Scope

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]

Row = TypeVar("Row")

MAX_INTEGER = 2_147_483_647
"""What PostgreSQL's `integer` holds; larger numbers are refused at the door."""


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by time of creation."""
    return UUID(int=uuid_utils.uuid7().int)


def new_metadata() -> MetaData:
    return MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


class ServiceBase(DeclarativeBase):
    """Parent of each service's own `Base`, which sets `metadata = new_metadata()`."""

    __abstract__ = True

    def __init_subclass__(cls, **options: Any) -> None:
        if ServiceBase in cls.__bases__:
            # Each service has its own registry, as each has its own database.
            cls.__abstract__ = True
            types: dict[Any, Any] = {int: BigInteger, datetime: DateTime(timezone=True), Decimal: Numeric(14, 2)}
            cls.registry = cls._sa_registry = registry(metadata=cls.metadata, type_annotation_map=types)
        super().__init_subclass__(**options)


def detached_instance(kind: type[Row], values: Mapping[str, Any]) -> Row:
    """The object of a row that was read or written past the session, to be looked at: no session knows it.

    Its constructor would tell SQLAlchemy of each value, which takes longer than to write the row.
    """
    row: Row = class_mapper(kind).class_manager.new_instance()
    instance_dict(row).update(values)
    return row


class OfficeOwned:
    """Rows of one office.  Clients see none of them."""

    office_id: Mapped[UUID] = mapped_column()


class ClientOwned:
    """Rows of one client of one office."""

    office_id: Mapped[UUID] = mapped_column()
    client_id: Mapped[UUID] = mapped_column()


class Versioned:
    """Optimistic locking: the version grows with every change and is the ETag on the wire."""

    version: Mapped[int]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 (a class directive)
        return {"version_id_col": cls.version}


query_filters = True
"""The tests of isolation switch the first layer off to prove the second."""


@event.listens_for(Session, "do_orm_execute")
def _filter_by_scope(state: ORMExecuteState) -> None:
    scope: Scope | None = state.session.info.get("scope")
    if not query_filters or scope is None or scope.kind == "network" or state.is_column_load or state.is_insert:
        return
    if state.is_update:
        # An update would take our parameters for columns to set.
        state.statement = state.statement.options(*_criteria(scope))
    else:
        state.statement = state.statement.options(*_CRITERIA[scope.kind])
        assert not isinstance(state.parameters, list | tuple)
        values: dict[str, Any] = {_OFFICE_ID.key: scope.office_id, _CLIENT_ID.key: scope.client_id}
        state.parameters = {**cast(Mapping[str, Any], state.parameters or {}), **values}


@event.listens_for(Session, "do_orm_execute")
def _refresh_locked_rows(state: ORMExecuteState) -> None:
    """What was read before its lock was waited for may be another by now; FOR UPDATE alone leaves the old in memory."""
    if state.is_select and getattr(state.statement, "_for_update_arg", None) is not None:
        state.update_execution_options(populate_existing=True)


def _criteria(scope: Scope) -> Sequence[ORMOption]:
    office_id, client_id = scope.office_id, scope.client_id
    if scope.kind == "office":
        return (
            with_loader_criteria(OfficeOwned, lambda cls: cls.office_id == office_id, include_aliases=True),
            with_loader_criteria(ClientOwned, lambda cls: cls.office_id == office_id, include_aliases=True),
        )
    return (
        with_loader_criteria(OfficeOwned, lambda cls: false(), include_aliases=True),
        with_loader_criteria(ClientOwned, lambda cls: cls.client_id == client_id, include_aliases=True),
    )


def _cached_criterion(owned: type, criterion: Callable[[Any], ColumnElement[bool]]) -> ORMOption:
    return with_loader_criteria(owned, criterion, include_aliases=True, track_closure_variables=False)


_OFFICE_ID = bindparam("scope_office_id", type_=Uuid())
_CLIENT_ID = bindparam("scope_client_id", type_=Uuid())
_CRITERIA = {
    "office": (
        _cached_criterion(OfficeOwned, lambda cls: cls.office_id == _OFFICE_ID),
        _cached_criterion(ClientOwned, lambda cls: cls.office_id == _OFFICE_ID),
    ),
    "client": (
        _cached_criterion(OfficeOwned, lambda cls: false()),
        _cached_criterion(ClientOwned, lambda cls: cls.client_id == _CLIENT_ID),
    ),
}
"""Made once, with parameters in place of values: making them for each statement costs more than many a query."""


class Database:
    """One service's database under its two running roles."""

    def __init__(
        self,
        app_url: str,
        worker_url: str,
        *,
        pool: int = 8,
        name: str = "reglament",
        worker_settings: Mapping[str, str] | None = None,
    ) -> None:
        """`worker_settings` are PostgreSQL's own, for every connection of a worker."""
        self.worker_url = worker_url
        self._app = Connections(app_url, pool, f"{name} app")
        # Workers are in network scope by connection, which spares every one of their transactions the telling.
        network = {"app.scope": NETWORK.kind, **(worker_settings or {})}
        self._worker = Connections(worker_url, pool, f"{name} worker", network)

    def app(self, scope: Scope, **info: Any) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction of an HTTP request; commits at the end of the block.  For errors see `Connections`."""
        return self._app.transaction(_begin_statement(scope), {"scope": scope, **info})

    def worker(self, **info: Any) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction of a consumer or loop, in network scope; commits at the end of the block."""
        return self._worker.transaction("BEGIN", info)

    async def execute_autocommit(self, statement: str, *arguments: Any) -> list[Any]:
        """One statement of a worker that is a transaction of its own."""
        return await self._worker.execute_autocommit(statement, *arguments)

    async def dispose(self) -> None:
        for role in (self._app, self._worker):
            await role.dispose()


def _begin_statement(scope: Scope) -> str:
    """Without the scope row-level security shows nothing.  It consists of our own words and of UUIDs."""
    settings = {"scope": scope.kind, "office_id": scope.office_id, "client_id": scope.client_id}
    return "BEGIN" + "".join(f"; SET LOCAL app.{name} = '{value}'" for name, value in settings.items() if value)
