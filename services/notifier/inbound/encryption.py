"""Passwords of mailboxes are stored encrypted; the key is in the environment only."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken

from shared.base.errors import BusinessError


class SecretsKeyMissing(BusinessError):
    code = "secrets-key-missing"
    title = "Пароли хранить нечем"


def encrypt_secret(key: str, secret: str) -> bytes:
    """Raises SecretsKeyMissing."""
    if not key:
        raise SecretsKeyMissing("Не задан ключ REGLAMENT_SECRETS_KEY: пароль негде хранить.")
    return _fernet(key).encrypt(secret.encode())


def decrypt_secret(key: str, encrypted: bytes) -> str:
    """Raises ValueError when the key is not the one that sealed it."""
    try:
        return _fernet(key).decrypt(encrypted).decode()
    except InvalidToken as error:
        raise ValueError("REGLAMENT_SECRETS_KEY is not the key of this password") from error


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
