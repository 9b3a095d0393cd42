"""Encrypt the passwords of mailboxes; the key is in the environment only."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from shared.base.errors import BusinessError


class SecretsKeyMissing(BusinessError):
    """No key is set, so no password can be stored."""

    code = "secrets-key-missing"
    title = "Пароли хранить нечем"


def encrypt_secret(key: str, secret: str) -> bytes:
    """Return the encrypted secret.  Raises SecretsKeyMissing."""
    if not key:
        raise SecretsKeyMissing("Не задан ключ REGLAMENT_SECRETS_KEY: пароль негде хранить.")
    return _fernet(key).encrypt(secret.encode())


def decrypt_secret(key: str, encrypted: bytes) -> str:
    """Return the secret.  Raises ValueError when it was encrypted with another key."""
    try:
        return _fernet(key).decrypt(encrypted).decode()
    except InvalidToken as error:
        raise ValueError("REGLAMENT_SECRETS_KEY is not the key of this password") from error


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
