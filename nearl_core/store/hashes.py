"""Keyed hashes: how identity is stored, so that equal stays equal and nothing can be read back."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LENGTH: Final = 32  # 128 bits as hex: no two patients of one project meet
_BLOCK: Final = 1 << 20


def new_key() -> str:
    """A project's key, 256 random bits as hex."""
    return secrets.token_hex(32)


def keyed_hash(key: str, kind: str, value: str) -> str:
    """HMAC-SHA256 of a value of one kind; "" stays "".

    Without the key the short values that identity is made of could be found by trying them all.
    """
    value = value.strip()
    if not value:
        return ""
    text = f"{kind}\0{value}".encode("utf-8", "surrogateescape")
    # At once: an HMAC object, made for three values of each file, takes many times as long.
    return hmac.digest(bytes.fromhex(key), text, "sha256").hex()[:_LENGTH]


def file_sha256(path: Path, check: Callable[[], None] = lambda: None) -> str:
    """SHA-256 of a file's bytes as hex; `check` is called before each block, and may raise.

    Raises:
        OSError: If it can't be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            check()
            digest.update(block)
    return digest.hexdigest()
