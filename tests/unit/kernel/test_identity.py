"""Sign-in: tokens, refresh rotation, revocation, throttling."""

import base64
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from shared.base.clock import now
from shared.base.errors import Unauthenticated
from shared.identity import tokens
from shared.identity.roles import Principal, Role
from shared.identity.tokens import TokenVerifier, generate_key, issue
from shared.persistence.database import new_id


@pytest.mark.parametrize(
    "spoil",
    [
        {"aud": "elsewhere"},
        {"iss": "control"},
        {"exp": 1},
        {"role": "emperor"},
        {"sub": "nobody"},
        {"office": 5},
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused(spoil: dict[str, Any]) -> None:
    key = generate_key()
    verifier = TokenVerifier({"sample": ""}, httpx.AsyncClient())
    verifier._issuers["sample"].keys = KeySet([key])
    good = issue(key, "sample", Principal(new_id(), Role.MANAGER, None, "x"), session_id=new_id(), at=now())
    claims = {**tokens._segment(good, 1), **spoil}
    bad = jwt.encode({"alg": "Ed25519", "typ": "at+jwt", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    with pytest.raises(Unauthenticated):
        await verifier.verify(bad)


async def test_a_token_of_another_type_or_algorithm_is_refused() -> None:
    key = generate_key()
    verifier = TokenVerifier({"sample": ""}, httpx.AsyncClient())
    verifier._issuers["sample"].keys = KeySet([key])
    claims = {"iss": "sample", "aud": "reglament", "sub": str(new_id()), "exp": 9_999_999_999}
    other_type = jwt.encode({"alg": "Ed25519", "typ": "JWT", "kid": key.kid}, claims, key, algorithms=["Ed25519"])
    public = OctKey.import_key(str(key.as_dict(private=False)["x"]) + "x" * 20)
    confused = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}, claims, public, algorithms=["HS256"])
    for token in (other_type, confused, "a.b", "", "....."):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


@pytest.mark.parametrize("nested", ["[" * 20_000, '{"a":' * 2_000 + "1" + "}" * 2_000])
async def test_a_token_that_is_nested_without_end_is_refused(nested: str) -> None:
    verifier = TokenVerifier({"sample": ""}, httpx.AsyncClient())

    def segment(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    claims = segment('{"iss":"sample"}')
    header = segment('{"typ":"at+jwt","kid":"x","alg":"Ed25519"}')
    for token in (f"{header}.{segment(nested)}.x", f"{segment(nested)}.{claims}.x"):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_a_token_known_to_be_good_is_refused_when_it_expires_or_its_key_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = generate_key()
    verifier = TokenVerifier({"sample": ""}, httpx.AsyncClient())
    issuer = verifier._issuers["sample"]
    issuer.keys, issuer.revocations_read_at, issuer.keys_read_at = KeySet([key]), time.monotonic(), time.monotonic()
    token = issue(key, "sample", Principal(new_id(), Role.MANAGER, None, "x"), session_id=new_id(), at=now())
    assert await verifier.verify(token) == await verifier.verify(token)
    with monkeypatch.context() as later:
        moment = time.time() + tokens.ACCESS_LIFETIME.total_seconds() + tokens.CLOCK_LEEWAY_SECONDS + 1
        later.setattr(time, "time", lambda: moment)
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)
    await verifier.verify(token)
    issuer.keys = KeySet([generate_key()])
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_an_expired_token_is_refused() -> None:
    key = generate_key()
    verifier = TokenVerifier({"sample": ""}, httpx.AsyncClient())
    verifier._issuers["sample"].keys = KeySet([key])
    old = issue(
        key,
        "sample",
        Principal(new_id(), Role.MANAGER, None, "x"),
        session_id=new_id(),
        at=now() - tokens.ACCESS_LIFETIME - timedelta(seconds=10),
    )
    with pytest.raises(Unauthenticated):
        await verifier.verify(old)
