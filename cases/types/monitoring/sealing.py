"""Words and files of the compartment: sealed under the installation's key, bound to the row that holds them."""

from uuid import UUID

from audit.actors import INSTALLATION
from audit.cards import without_cards
from compliance.keys.services import open_sealed, seal

WORDS, TITLE, DATA, TEXT = "monitoring.words", "monitoring.title", "monitoring.data", "monitoring.text"


def sealed(purpose: str, words: str, row_id: UUID) -> bytes:
    """Words as somebody typed them, without card numbers."""
    return seal(INSTALLATION, purpose, without_cards(words).encode(), aad=row_id.bytes)


def opened(purpose: str, sealed_words: bytes | memoryview | None, row_id: UUID) -> str:
    if sealed_words is None:
        return ""
    return open_sealed(INSTALLATION, purpose, bytes(sealed_words), aad=row_id.bytes).decode()


def sealed_file(data: bytes, row_id: UUID) -> bytes:
    return seal(INSTALLATION, DATA, data, aad=row_id.bytes)


def opened_file(sealed_data: bytes | memoryview, row_id: UUID) -> bytes:
    return open_sealed(INSTALLATION, DATA, bytes(sealed_data), aad=row_id.bytes)
