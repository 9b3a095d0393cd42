"""Engines, sessions and the office isolation that every query passes through.

Isolation has two layers, each sufficient alone: the ORM adds a filter to every statement about an owned table,
and PostgreSQL's row-level security (`shared.migrations.isolate_by_office`) stands underneath.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, cast
from uuid import UUID

import uuid_utils
from sqlalchemy import BigInteger, DateTime, MetaData, Numeric, Uuid, bindparam, event, false
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    SessionTransaction,
    declared_attr,
    mapped_column,
    registry,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.sql.elements import ColumnElement

from shared.scope import NETWORK, Scope

Instant = Annotated[datetime, mapped_column(DateTime(timezone=True))]
Money = Annotated[Decimal, mapped_column(Numeric(14, 2))]

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

_SET_SCOPE = (
    "SELECT set_config('app.scope', $1, true), set_config('app.office_id', $2, true),"
    " set_config('app.client_id', $3, true)"
)


@dataclass
class Opening:
    """What a transaction's first statement asks besides telling the scope, which spares a round trip."""

    columns: str
    """And what follows them; `$4` is the first argument."""
    arguments: tuple[Any, ...]
    row: Sequence[Any] = ()
    """The answer, once the transaction has begun."""


@event.listens_for(Session, "after_begin")
def _tell_postgresql_the_scope(session: Session, _transaction: SessionTransaction, connection: Connection) -> None:
    """A transaction's first statement.  Without it row-level security shows nothing."""
    session.info["driver"] = connection.connection.driver_connection
    scope: Scope | None = session.info.get("scope")
    if scope is None:
        return
    told = (scope.kind, str(scope.office_id or ""), str(scope.client_id or ""))
    opening: Opening | None = session.info.get("opening")
    if opening is None:
        connection.exec_driver_sql(_SET_SCOPE, told)
    else:
        row = connection.exec_driver_sql(f"{_SET_SCOPE}, {opening.columns}", told + opening.arguments).one()
        opening.row = row[len(told) :]


@event.listens_for(Session, "after_transaction_end")
def _forget_the_driver(session: Session, transaction: SessionTransaction) -> None:
    """The connection is going to be another session's."""
    if transaction.parent is None:
        session.info.pop("driver", None)


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


def _constant(owned: type, criterion: Callable[[Any], ColumnElement[bool]]) -> ORMOption:
    return with_loader_criteria(owned, criterion, include_aliases=True, track_closure_variables=False)


_OFFICE_ID = bindparam("scope_office_id", type_=Uuid())
_CLIENT_ID = bindparam("scope_client_id", type_=Uuid())
_CRITERIA = {
    "office": (
        _constant(OfficeOwned, lambda cls: cls.office_id == _OFFICE_ID),
        _constant(ClientOwned, lambda cls: cls.office_id == _OFFICE_ID),
    ),
    "client": (
        _constant(OfficeOwned, lambda cls: false()),
        _constant(ClientOwned, lambda cls: cls.client_id == _CLIENT_ID),
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
        # Workers are in network scope by connection, which spares every one of their transactions a round trip.
        self._engines = [
            _engine(app_url, pool, f"{name} app"),
            _engine(worker_url, pool, f"{name} worker", {"app.scope": NETWORK.kind, **(worker_settings or {})}),
        ]
        self._app, self._worker = (async_sessionmaker(engine, expire_on_commit=False) for engine in self._engines)
        self._autocommit = self._engines[1].execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def app(self, scope: Scope, **info: Any) -> AsyncIterator[AsyncSession]:
        """One transaction of an HTTP request; commits at the end of the block."""
        async with self._app(info={"scope": scope, **info}) as session, session.begin():
            yield session

    @asynccontextmanager
    async def worker(self, **info: Any) -> AsyncIterator[AsyncSession]:
        """One transaction of a consumer or loop, in network scope; commits at the end of the block."""
        async with self._worker(info=info) as session, session.begin():
            yield session

    async def at_once(self, statement: str, *arguments: Any) -> list[Any]:
        """One statement of a worker that is a transaction of its own: no round trips for its beginning and end.

        Raises asyncpg's errors.
        """
        async with self._autocommit.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                rows: list[Any] = await driver.fetch(statement, *arguments)
            except BaseException:
                # The pool knows nothing of it; the connection may be broken.
                await connection.invalidate()
                raise
            return rows

    async def dispose(self) -> None:
        for engine in self._engines:
            await engine.dispose()


def _engine(url: str, pool: int, application_name: str, settings: Mapping[str, str] | None = None) -> AsyncEngine:
    return create_async_engine(
        sqlalchemy_url(url),
        pool_size=pool,
        max_overflow=0,
        pool_timeout=10,
        pool_pre_ping=False,
        # The values of a failed statement are people's data: they stay out of logs and of parked messages.
        hide_parameters=True,
        connect_args={
            "timeout": 10,
            "server_settings": {
                "application_name": application_name,
                "timezone": "UTC",
                "idle_in_transaction_session_timeout": "60s",
                "jit": "off",
                **(settings or {}),
            },
        },
    )


def sqlalchemy_url(url: str) -> str:
    """The asyncpg dialect's URL of a plain `postgresql://` one."""
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)
