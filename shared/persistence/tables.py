"""The kernel's tables.  Every service has them in its own database."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.persistence.database import new_metadata

KERNEL = new_metadata()

_moment = DateTime(timezone=True)

outbox = Table(
    "outbox",
    KERNEL,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("office_id", Uuid),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=func.now()),
    Column("lease", Uuid),
    Column("leased_until", _moment),
    Column("confirmed_at", _moment),
    Index("ix_outbox_pending", "id", postgresql_where=text("confirmed_at IS NULL")),
    Index("ix_outbox_confirmed", "confirmed_at", postgresql_where=text("confirmed_at IS NOT NULL")),
)

inbox = Table(
    "inbox",
    KERNEL,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("type", Text, nullable=False),
    Column("processed_at", _moment, nullable=False, server_default=func.now()),
    Index("ix_inbox_processed_at", "processed_at"),
)

failed_message = Table(
    "failed_message",
    KERNEL,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("state", Text, nullable=False, comment="delivering, retrying, parked, resolved"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text, nullable=False, server_default=""),
    Column("first_failed_at", _moment, nullable=False, server_default=func.now()),
    Column("next_attempt_at", _moment),
    Column("parked_at", _moment),
    Column("resolved_at", _moment),
    UniqueConstraint("consumer", "event_id"),
    Index("ix_failed_message_due", "next_attempt_at", postgresql_where=text("state = 'retrying'")),
    Index("ix_failed_message_parked", "parked_at", "id", postgresql_where=text("state = 'parked'")),
)

topology_check = Table(
    "topology_check",
    KERNEL,
    Column("queue", Text, primary_key=True),
    Column("last_good_at", _moment, nullable=False),
    Column("owed_since", _moment, comment="the queue is mended, but its producers were not asked yet"),
)

idempotency_key = Table(
    "idempotency_key",
    KERNEL,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=func.now()),
    Index("ix_idempotency_key_created_at", "created_at"),
)

audit_log = Table(
    "audit_log",
    KERNEL,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", _moment, nullable=False, server_default=func.now()),
    Column("actor_id", Uuid),
    Column("actor_role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("office_id", Uuid),
    Column("details", JSONB, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Index("ix_audit_log_subject", "subject", "id"),
)

audit_seal = Table(
    "audit_seal",
    KERNEL,
    Column("audit_id", BigInteger, primary_key=True, autoincrement=False),
    Column("office_id", Uuid),
    Column("number", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("sealed_at", _moment, nullable=False, server_default=func.now()),
    UniqueConstraint("office_id", "number", postgresql_nulls_not_distinct=True),
)

IDENTITY = new_metadata()
"""Tables of the two services that sign people in (`control`, `clients`)."""

account = Table(
    "account",
    IDENTITY,
    Column("id", Uuid, primary_key=True, comment="the staff member's or the client's id"),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("office_id", Uuid),
    Column("name", Text, nullable=False),
    Column("active", Integer, nullable=False, server_default="1"),
)

refresh_token = Table(
    "refresh_token",
    IDENTITY,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("family_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("issued_at", _moment, nullable=False, server_default=func.now()),
    Column("expires_at", _moment, nullable=False),
    Column("used_at", _moment),
    Index("ix_refresh_token_family_id", "family_id"),
    Index("ix_refresh_token_account_id", "account_id"),
    Index("ix_refresh_token_expires_at", "expires_at"),
)

revocation = Table(
    "revocation",
    IDENTITY,
    Column("subject", Uuid, primary_key=True),
    Column("not_before", _moment, nullable=False),
    Index("ix_revocation_not_before", "not_before"),
)

signing_key = Table(
    "signing_key",
    IDENTITY,
    Column("kid", Text, primary_key=True),
    Column("private_jwk", JSONB, nullable=False),
    Column("created_at", _moment, nullable=False, server_default=func.now()),
)
