"""Argon2id in threads, at most two at a time: one hash takes 0.15 s of a core."""

import asyncio

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_hasher = PasswordHash((Argon2Hasher(),))
_slots = asyncio.Semaphore(2)
_dummy_hash = _hasher.hash("nobody has this password")


async def hash_password(password: str) -> str:
    """Return the hash to store."""
    async with _slots:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(password: str, stored: str | None) -> bool:
    """Compare a password with a stored hash; takes the same time for an unknown account (`stored` is None)."""
    async with _slots:
        valid = await asyncio.to_thread(_hasher.verify, password, stored or _dummy_hash)
    return valid and stored is not None
