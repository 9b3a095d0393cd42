"""Tokens and the audit without servers: every claim, how old revocations may be, what a hash of the audit covers."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from shared.base.errors import TooManyRequests, Unauthenticated, Unavailable
from shared.identity import tokens
from shared.identity.accounts import normalize_login
from shared.identity.roles import Principal, Role
from shared.identity.throttle import PER_ACCOUNT, FailedAttempts
from shared.identity.tokens import ACCESS_LIFETIME, TokenVerifier, generate_key, issue
from shared.messaging import context
from shared.runtime.audit import audit_row, chain_hash

ID, OFFICE, SESSION = UUID(int=1), UUID(int=2), UUID(int=3)
MANAGER = Principal(ID, Role.MANAGER, OFFICE, "Имя")
CLIENT = Principal(ID, Role.CLIENT, None, "Имя")
KEY = generate_key()


class Issuers:
    """The issuers' HTTP: what they answer, and what was asked."""

    def __init__(self) -> None:
        self.keys = [KEY.as_dict(private=False)]
        self.revoked: list[dict[str, Any]] = []
        self.status = 200
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        body = {"keys": self.keys} if request.url.path.endswith("jwks.json") else {"revoked": self.revoked}
        return httpx.Response(self.status, json=body)

    def verifier(self) -> TokenVerifier:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return TokenVerifier({"control": "http://control/", "clients": "http://clients"}, http)


def now() -> datetime:
    return datetime.now(UTC)


def token(principal: Principal = MANAGER, *, at: datetime | None = None, issuer: str = "control") -> str:
    return issue(KEY, issuer, principal, session_id=SESSION, at=at or now())


def test_a_key_signs_and_says_so() -> None:
    key = generate_key()
    described = key.as_dict(private=False)
    assert (described["crv"], described["use"], described["alg"]) == ("Ed25519", "sig", "Ed25519")
    assert UUID(str(described["kid"]))
    assert "d" in key.as_dict(private=True)
    assert key.kid != generate_key().kid


def test_every_claim_of_a_token() -> None:
    at = datetime(2026, 3, 16, 9, 0, 0, 500_000, tzinfo=UTC)
    made = jwt.decode(token(at=at), OKPKey.import_key(KEY.as_dict(private=False)), algorithms=["Ed25519"])
    assert made.header == {"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.kid}
    identity = made.claims.pop("jti")
    assert UUID(identity)
    assert made.claims == {
        "iss": "control",
        "aud": "reglament",
        "sub": str(ID),
        "role": "manager",
        "office": str(OFFICE),
        "name": "Имя",
        "sid": str(SESSION),
        "iat": at.timestamp(),
        "exp": int(at.timestamp()) + 600,
    }
    again = jwt.decode(token(at=at), OKPKey.import_key(KEY.as_dict(private=False)), algorithms=["Ed25519"])
    assert again.claims["jti"] != identity
    of_client = jwt.decode(token(CLIENT), KEY, algorithms=["Ed25519"])
    assert of_client.claims["office"] is None


async def test_the_caller_is_who_the_token_says() -> None:
    issuers = Issuers()
    verifier = issuers.verifier()
    assert await verifier.verify(token()) == MANAGER
    assert issuers.asked == ["http://control/.well-known/jwks.json", "http://control/revocations"]
    assert await verifier.verify(token(CLIENT, issuer="clients")) == CLIENT
    assert issuers.asked[2:] == ["http://clients/.well-known/jwks.json", "http://clients/revocations"]
    await verifier.verify(token())
    assert len(issuers.asked) == 4


@pytest.mark.parametrize(("principal", "issuer"), [(CLIENT, "control"), (MANAGER, "clients")])
async def test_each_issuer_speaks_for_its_own_people(principal: Principal, issuer: str) -> None:
    with pytest.raises(Unauthenticated, match="не тем, кто вправе"):
        await Issuers().verifier().verify(token(principal, issuer=issuer))


@pytest.mark.parametrize("late", [0, 3])
async def test_the_clocks_of_two_machines_may_differ_by_seconds(late: int) -> None:
    verifier = Issuers().verifier()
    assert await verifier.verify(token(at=now() - ACCESS_LIFETIME - timedelta(seconds=late - 1))) == MANAGER
    with pytest.raises(Unauthenticated, match="недействителен или истёк"):
        await verifier.verify(token(at=now() - ACCESS_LIFETIME - timedelta(seconds=7)))


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "a",
        "a.b.c",
        token().split(".")[0],
        ".".join(["W10", *token().split(".")[1:]]),
        token(issuer="unknown"),
        token()[:-4] + "AAAA",
    ],
)
async def test_what_is_no_token_is_refused(spoiled: str) -> None:
    with pytest.raises(Unauthenticated, match="Войдите снова"):
        await Issuers().verifier().verify(spoiled)


async def test_keys_are_asked_for_again_after_a_while_only() -> None:
    issuers = Issuers()
    verifier = issuers.verifier()
    await verifier.verify(token())
    stranger = generate_key()
    foreign = issue(stranger, "control", MANAGER, session_id=SESSION, at=now())
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await verifier.verify(foreign)
    assert issuers.asked.count("http://control/.well-known/jwks.json") == 1
    verifier._issuers["control"].keys_read_at -= tokens.KEY_REFRESH_SECONDS + 0.1
    issuers.keys.append(stranger.as_dict(private=False))
    assert await verifier.verify(foreign) == MANAGER


async def test_an_issuer_that_fails_is_unavailable() -> None:
    issuers = Issuers()
    issuers.status = 500
    with pytest.raises(Unavailable, match="Служба входа не отвечает"):
        await issuers.verifier().verify(token())


async def test_revoked_tokens_are_those_made_before() -> None:
    issuers = Issuers()
    moment = now()
    issuers.revoked = [{"subject": str(ID), "not_before": moment.timestamp()}]
    verifier = issuers.verifier()
    with pytest.raises(Unauthenticated, match="Доступ закрыт"):
        await verifier.verify(token(at=moment - timedelta(milliseconds=1)))
    assert await verifier.verify(token(at=moment)) == MANAGER
    other = replace(MANAGER, id=UUID(int=9))
    assert await verifier.verify(token(other, at=moment - timedelta(seconds=1))) == other


async def test_staff_are_refused_when_revocations_are_older_than_a_minute() -> None:
    issuers = Issuers()
    verifier = issuers.verifier()
    staff, client = token(), token(CLIENT, issuer="clients")
    await verifier.verify(staff)
    await verifier.verify(client)
    issuers.status = 500
    for issuer in verifier._issuers.values():
        issuer.revocations_read_at -= tokens.REVOCATION_MAX_AGE_SECONDS - 1
    assert await verifier.verify(staff) == MANAGER
    for issuer in verifier._issuers.values():
        issuer.revocations_read_at -= 2
    with pytest.raises(Unavailable, match="Служба входа не отвечает"):
        await verifier.verify(staff)
    assert await verifier.verify(client) == CLIENT
    issuers.status = 200
    assert await verifier.verify(staff) == MANAGER


async def test_without_any_revocations_only_clients_are_let_in() -> None:
    issuers = Issuers()
    verifier = issuers.verifier()
    for issuer in verifier._issuers.values():
        issuer.keys = KeySet([KEY])
    issuers.status = 500
    with pytest.raises(Unavailable):
        await verifier.verify(token())
    assert await verifier.verify(token(CLIENT, issuer="clients")) == CLIENT


async def test_known_tokens_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_CACHED_TOKENS", 2)
    verifier = Issuers().verifier()
    made = [token() for _ in range(3)]
    for each in made[:2]:
        await verifier.verify(each)
    assert set(verifier._verified) == set(made[:2])
    await verifier.verify(made[1])
    assert set(verifier._verified) == set(made[:2])
    await verifier.verify(made[2])
    assert set(verifier._verified) == {made[2]}


def test_a_login_is_read_without_its_case() -> None:
    assert normalize_login("  Ivan.Petrov ") == "ivan.petrov"


async def test_the_limit_of_failures_is_counted_for_each_key() -> None:
    attempts = FailedAttempts()
    for _ in range(PER_ACCOUNT.amount):
        await attempts.check(PER_ACCOUNT, "a", "1.1.1.1")
        await attempts.record(PER_ACCOUNT, "a", "1.1.1.1")
    with pytest.raises(TooManyRequests, match="Подождите минуту") as refused:
        await attempts.check(PER_ACCOUNT, "a", "1.1.1.1")
    assert 55 <= refused.value.members["retry_after"] <= 60
    await attempts.check(PER_ACCOUNT, "a", "2.2.2.2")
    await attempts.check(PER_ACCOUNT, "b", "1.1.1.1")


# ── The audit ──

ROW: dict[str, Any] = {
    "id": 7,
    "at": datetime(2026, 3, 16, 9, tzinfo=UTC),
    "actor_id": ID,
    "actor_role": "manager",
    "action": "order.removed",
    "subject": "order/1",
    "office_id": OFFICE,
    "details": {"reason": "нет", "before": 1},
    "correlation_id": "c",
}


def hashed(previous: bytes = b"p", **changes: Any) -> bytes:
    return chain_hash(previous, SimpleNamespace(**(ROW | changes)))  # type: ignore[arg-type]


def test_the_hash_of_a_row_covers_all_it_says_and_the_row_before() -> None:
    content = [
        *(7, "2026-03-16T09:00:00+00:00", str(ID), "manager", "order.removed", "order/1", str(OFFICE)),
        *({"before": 1, "reason": "нет"}, "c"),
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    assert hashed() == hashlib.sha256(b"p" + text.encode()).digest()
    changes: list[dict[str, Any]] = [
        {"id": 8},
        {"at": datetime(2026, 3, 16, 9, 0, 1, tzinfo=UTC)},
        {"actor_id": OFFICE},
        {"actor_role": "director"},
        {"action": "order.restored"},
        {"subject": "order/2"},
        {"office_id": ID},
        {"details": {"reason": "есть", "before": 1}},
        {"correlation_id": "d"},
    ]
    assert {*(name for change in changes for name in change)} == set(ROW)
    found = {hashed(**change) for change in changes} | {hashed(), hashed(b"q")}
    assert len(found) == len(changes) + 2
    assert hashed(details={"before": 1, "reason": "нет"}) == hashed()


def test_a_row_names_the_caller_or_the_service() -> None:
    context.accept("order-45", "")
    caller: Any = SimpleNamespace(info={"principal": MANAGER})
    assert audit_row(caller, "order.removed", "order/1", OFFICE, {"a": 1}) == {
        "actor_id": ID,
        "actor_role": "manager",
        "action": "order.removed",
        "subject": "order/1",
        "office_id": OFFICE,
        "details": {"a": 1},
        "correlation_id": "order-45",
    }
    loop: Any = SimpleNamespace(info={})
    row = audit_row(loop, "a", "s", None)
    assert (row["actor_id"], row["actor_role"], row["office_id"], row["details"]) == (None, "service", None, {})
