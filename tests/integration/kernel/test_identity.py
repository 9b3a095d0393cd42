"""Sign-in: tokens, refresh rotation, revocation, throttling."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from shared.base.errors import TooManyRequests, Unauthenticated, Unavailable
from shared.identity import accounts, passwords, tokens
from shared.identity.roles import Principal, Role
from shared.identity.tokens import TokenVerifier
from shared.persistence.database import new_id
from tests.support.harness import ServiceHarness

PASSWORD = "правильный пароль"


@pytest_asyncio.fixture
async def person(sample: ServiceHarness) -> AsyncIterator[tuple[Principal, str]]:
    principal = Principal(new_id(), Role.MANAGER, new_id(), "Иванов Иван")
    login = f"Ivanov-{uuid4()}@Example.com"
    async with sample.app.state.database.app(principal.scope) as session:
        await accounts.create_account(session, principal, login, PASSWORD)
    yield principal, login


async def sign_in(http: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    return await http.post("/sessions", json={"login": login, "password": password})


@pytest.fixture
def issuer(sample: ServiceHarness) -> TokenVerifier:
    """The real verifier, asking the running sample for keys and revocations."""
    http = httpx.AsyncClient(transport=httpx.ASGITransport(sample.app))
    return TokenVerifier({"sample": "http://service"}, http)


async def test_a_signed_in_manager_is_recognised_by_the_published_keys(
    sample: ServiceHarness, person: tuple[Principal, str], issuer: TokenVerifier
) -> None:
    principal, login = person
    async with sample.http() as http:
        signed_in = await sign_in(http, login.upper())
    assert signed_in.status_code == 200, signed_in.text
    assert await issuer.verify(signed_in.json()["access_token"]) == principal
    assert signed_in.json()["role_label"] == "менеджер"


async def test_the_published_keys_hold_no_private_part(sample: ServiceHarness) -> None:
    async with sample.http() as http:
        [key] = (await http.get("/.well-known/jwks.json")).json()["keys"]
    assert "d" not in key
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")


async def test_wrong_password_unknown_login_and_closed_account_look_alike(
    sample: ServiceHarness, person: tuple[Principal, str]
) -> None:
    principal, login = person
    async with sample.http() as http:
        wrong = await sign_in(http, login, "не тот")
        unknown = await sign_in(http, "nobody@example.com")
        async with sample.session() as session:
            await accounts.change_account(session, principal, active=False)
        closed = await sign_in(http, login)
    assert wrong.status_code == unknown.status_code == closed.status_code == 401
    assert wrong.json() == unknown.json() == closed.json()


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_family(
    sample: ServiceHarness, person: tuple[Principal, str]
) -> None:
    async with sample.http() as http:
        first = (await sign_in(http, person[1])).json()["refresh_token"]
        second = await http.post("/sessions/refresh", json={"refresh_token": first})
        assert second.status_code == 200
        stolen = await http.post("/sessions/refresh", json={"refresh_token": first})
        assert stolen.status_code == 401
        honest = await http.post("/sessions/refresh", json={"refresh_token": second.json()["refresh_token"]})
        assert honest.status_code == 401


@pytest.mark.parametrize("what", ["password", "dismissal"])
async def test_what_changes_while_a_password_is_compared_counts(
    sample: ServiceHarness, person: tuple[Principal, str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Verification takes time; an account closed meanwhile, or with a new password, does not accept the old one."""
    principal, login = person
    verify = passwords.verify_password

    async def verify_slowly(password: str, stored: str | None) -> bool:
        valid = await verify(password, stored)
        async with sample.session() as session:
            if what == "password":
                await accounts.set_password(session, principal.id, "совсем другой пароль")
            else:
                await accounts.change_account(session, principal, active=False)
        return valid

    with monkeypatch.context() as patched:
        patched.setattr(accounts, "verify_password", verify_slowly)
        async with sample.session() as session:
            assert await accounts.sign_in(session, login, PASSWORD) is None
        if what == "password":
            async with sample.session() as session:
                assert not await accounts.change_password(
                    session, principal.id, "совсем другой пароль", "третий пароль"
                )
    if what == "password":
        async with sample.session() as session:
            assert await accounts.change_password(session, principal.id, "совсем другой пароль", "третий пароль")
            assert not await accounts.change_password(session, principal.id, "совсем другой пароль", "четвёртый")


async def test_guessing_the_current_password_is_throttled(
    sample: ServiceHarness, person: tuple[Principal, str]
) -> None:
    """A stolen token gives access for ten minutes, not to the account."""
    principal, login = person
    async with sample.session() as session:
        for _ in range(10):
            assert not await accounts.change_password(session, principal.id, "догадка", "новый пароль")
    with pytest.raises(TooManyRequests):
        async with sample.session() as session:
            await accounts.change_password(session, principal.id, PASSWORD, "новый пароль")
    async with sample.http() as http:
        assert (await sign_in(http, login)).status_code == 200


async def test_a_token_that_is_being_issued_is_revoked_too(
    sample: ServiceHarness, person: tuple[Principal, str]
) -> None:
    principal, login = person
    async with sample.session() as session:
        grant = await accounts.sign_in(session, login, PASSWORD)
    assert grant is not None

    async def revoke() -> None:
        async with sample.session() as session:
            await accounts.revoke_tokens(session, principal.id)

    async with sample.session() as session:
        following = await accounts.refresh(session, grant.refresh_token)
        assert following is not None
        revoking = asyncio.create_task(revoke())
        await asyncio.sleep(0.3)
        assert not revoking.done(), "it waits for the token that is being issued"
    await revoking
    async with sample.session() as session:
        assert await accounts.refresh(session, following.refresh_token) is None


async def test_every_role_can_sign_out(sample: ServiceHarness) -> None:
    for role in Role:
        async with sample.http(role) as http:
            assert (await http.delete("/sessions/current")).status_code == 204, role


async def test_a_dismissed_manager_is_out_as_soon_as_the_feed_is_read(
    sample: ServiceHarness, person: tuple[Principal, str], issuer: TokenVerifier
) -> None:
    principal, login = person
    async with sample.http() as http:
        token = (await sign_in(http, login)).json()["access_token"]
    await issuer.verify(token)
    async with sample.session() as session:
        await accounts.change_account(session, principal, active=False)
    await issuer._read_revocations(issuer._issuers["sample"])
    with pytest.raises(Unauthenticated):
        await issuer.verify(token)


async def test_staff_are_refused_when_the_feed_is_too_old(
    sample: ServiceHarness,
    person: tuple[Principal, str],
    issuer: TokenVerifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with sample.http() as http:
        token = (await sign_in(http, person[1])).json()["access_token"]
    await issuer.verify(token)
    monkeypatch.setattr(tokens, "REVOCATION_MAX_AGE_SECONDS", 0.0)
    issuer._issuers["sample"].url = "http://service/nowhere"
    with pytest.raises(Unavailable):
        await issuer.verify(token)


async def test_a_response_that_is_no_feed_is_no_response(
    sample: ServiceHarness, person: tuple[Principal, str], issuer: TokenVerifier
) -> None:
    """A proxy's page with status 200, for example."""
    async with sample.http() as http:
        token = (await sign_in(http, person[1])).json()["access_token"]

    async def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text="<html>Техническое обслуживание</html>")

    issuer._http = httpx.AsyncClient(transport=httpx.MockTransport(page))
    with pytest.raises(Unavailable):
        await issuer.verify(token)  # It has no keys.
    await issuer._read_revocations(issuer._issuers["sample"])
    assert not issuer._issuers["sample"].revocations_read_at


async def test_failed_sign_ins_are_throttled_for_their_account_only(
    sample: ServiceHarness, person: tuple[Principal, str]
) -> None:
    victim = f"victim-{uuid4()}"
    async with sample.http() as http:
        answers = await asyncio.gather(*(sign_in(http, victim, "guess") for _ in range(10)))
        assert {answer.status_code for answer in answers} == {401}
        slowed = await sign_in(http, victim, "guess")
        assert slowed.status_code == 429
        assert 0 < slowed.json()["retry_after"] <= 60
        assert (await sign_in(http, person[1])).status_code == 200


async def test_a_login_is_taken_whatever_its_case(sample: ServiceHarness, person: tuple[Principal, str]) -> None:
    other = Principal(new_id(), Role.MANAGER, new_id(), "Другой")
    with pytest.raises(accounts.LoginTaken):
        async with sample.session() as session:
            await accounts.create_account(session, other, person[1].upper(), PASSWORD)
