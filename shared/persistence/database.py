"""One service's database: transactions of its two roles, base classes of tables, isolation of offices (ORG-04).

Isolation has two layers, each sufficient alone.  The ORM adds a filter to every statement about an owned table.
PostgreSQL's row-level security applies to everything else, see `shared.persistence.migrations.isolate_by_office`.
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
"""The largest value of PostgreSQL's `integer`; larger numbers are refused when the request is validated."""


def new_id() -> UUID:
    """Return a UUIDv7: unique, and sorted by time of creation."""
    return UUID(int=uuid_utils.uuid7().int)


def new_metadata() -> MetaData:
    """Return metadata with the naming convention of constraints and indexes that migrations rely on."""
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
    """Return an instance that no session tracks, for a row that was read or written with raw SQL.

    Its constructor would register every value with SQLAlchemy, which costs more than writing the row.
    """
    row: Row = class_mapper(kind).class_manager.new_instance()
    instance_dict(row).update(values)
    return row


class OfficeOwned:
    """A table whose rows belong to one office.  Clients see none of them."""

    office_id: Mapped[UUID] = mapped_column()


class ClientOwned:
    """A table whose rows belong to one client of one office."""

    office_id: Mapped[UUID] = mapped_column()
    client_id: Mapped[UUID] = mapped_column()


class Versioned:
    """Optimistic locking: the version grows with every change and is sent as the ETag."""

    version: Mapped[int]

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 (a class directive)
        return {"version_id_col": cls.version}


query_filters = True
"""The isolation tests switch the first layer off to prove the second."""


@event.listens_for(Session, "do_orm_execute")
def _filter_by_scope(state: ORMExecuteState) -> None:
    scope: Scope | None = state.session.info.get("scope")
    if not query_filters or scope is None or scope.kind == "network" or state.is_column_load or state.is_insert:
        return
    if state.is_update:
        # An update would treat the cached criteria's parameters as columns to set.
        state.statement = state.statement.options(*_criteria(scope))
    else:
        state.statement = state.statement.options(*_CRITERIA[scope.kind])
        assert not isinstance(state.parameters, list | tuple)
        values: dict[str, Any] = {_OFFICE_ID.key: scope.office_id, _CLIENT_ID.key: scope.client_id}
        state.parameters = {**cast(Mapping[str, Any], state.parameters or {}), **values}


@event.listens_for(Session, "do_orm_execute")
def _refresh_locked_rows(state: ORMExecuteState) -> None:
    """Overwrite loaded instances with the rows that FOR UPDATE returns.

    A row may have changed while its lock was awaited; SQLAlchemy alone would keep the values read before.
    """
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
"""Built once, with parameters in place of values: building them for each statement costs more than many queries."""


class Database:
    """One service's database: a pool for HTTP requests and a pool for consumers and loops."""

    def __init__(
        self,
        app_url: str,
        worker_url: str,
        *,
        pool: int = 8,
        name: str = "reglament",
        worker_settings: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare the pools of `pool` connections each; `worker_settings` are PostgreSQL's own, for the worker's."""
        self.worker_url = worker_url
        self._app = Connections(app_url, pool, f"{name} app")
        # Workers are in network scope by a connection setting, so no transaction has to set it.
        network = {"app.scope": NETWORK.kind, **(worker_settings or {})}
        self._worker = Connections(worker_url, pool, f"{name} worker", network)

    def app(self, scope: Scope, **info: Any) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction in the caller's scope; it commits at the end of the block.

        For the errors see `Connections.transaction`.
        """
        return self._app.transaction(_begin_statement(scope), {"scope": scope, **info})

    def worker(self, **info: Any) -> AbstractAsyncContextManager[AsyncSession]:
        """Open a transaction of a consumer or loop, in network scope; it commits at the end of the block."""
        return self._worker.transaction("BEGIN", info)

    async def execute_autocommit(self, statement: str, *arguments: Any) -> list[Any]:
        """Execute one statement of a worker as a transaction of its own."""
        return await self._worker.execute_autocommit(statement, *arguments)

    async def dispose(self) -> None:
        """Close the idle connections of both pools."""
        for role in (self._app, self._worker):
            await role.dispose()


def _begin_statement(scope: Scope) -> str:
    """Return the script that begins a transaction and sets the scope, without which row-level security shows nothing.

    The values are this module's own words and UUIDs, so nothing needs quoting.
    """
    settings = {"scope": scope.kind, "office_id": scope.office_id, "client_id": scope.client_id}
    return "BEGIN" + "".join(f"; SET LOCAL app.{name} = '{value}'" for name, value in settings.items() if value)
