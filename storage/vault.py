"""Encryption of what is held about people, and the keyed hashes it is looked up by."""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_ID = 4
_NONCE = 12


class SealBroken(Exception):
    """The stored bytes were made with another secret key, or belong to another row."""


def new_ref() -> str:
    """A random row reference: 22 characters of ``[A-Za-z0-9_-]``, 128 bits."""
    return secrets.token_urlsafe(16)


class Vault:
    """AES-256-GCM with a key id, each value bound to the column and row it was sealed for.

    Layout of a sealed value: key id (4 bytes) · nonce (12) · ciphertext and tag. The column's
    name and the row's ``ref`` are authenticated with it, so a value moved to another row or
    column does not open.
    """

    def __init__(self, secret_key: str) -> None:
        seal_key = self._derive(secret_key, b"kinroom seal 1")
        self._key_id = hashlib.sha256(seal_key).digest()[:_KEY_ID]
        self._aead = AESGCM(seal_key)
        self._hash_key = self._derive(secret_key, b"kinroom lookup 1")

    @staticmethod
    def _derive(secret_key: str, purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(
            secret_key.encode()
        )

    def seal(self, column: str, ref: str, text: str) -> bytes:
        """Encrypt ``text`` for ``column`` (``"table.column"``) of the row named ``ref``."""
        return self.seal_bytes(column, ref, text.encode())

    def seal_bytes(self, column: str, ref: str, content: bytes) -> bytes:
        """As :meth:`seal`, for content that is not text."""
        nonce = secrets.token_bytes(_NONCE)
        return self._key_id + nonce + self._aead.encrypt(nonce, content, self._bound(column, ref))

    def open(self, column: str, ref: str, sealed: bytes) -> str:
        """Decrypt what :meth:`seal` made for the same column and row.

        Raises :class:`SealBroken` when key, column or row differ.
        """
        return self.open_bytes(column, ref, sealed).decode()

    def open_bytes(self, column: str, ref: str, sealed: bytes) -> bytes:
        """As :meth:`open`, for content that is not text."""
        if sealed[:_KEY_ID] != self._key_id:
            raise SealBroken(f"{column} was sealed with another secret key")
        nonce, body = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
        try:
            return self._aead.decrypt(nonce, body, self._bound(column, ref))
        except (InvalidTag, ValueError) as broken:  # ValueError: cut short
            raise SealBroken(f"{column} does not belong to this row") from broken

    def lookup(self, purpose: str, value: str) -> str:
        """Keyed hash to find a value by without storing it: 43 characters, HMAC-SHA256."""
        digest = hmac.digest(self._hash_key, f"{purpose}\0{value}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    @staticmethod
    def _bound(column: str, ref: str) -> bytes:
        return f"{column}:{ref}".encode()
