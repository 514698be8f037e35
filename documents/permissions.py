"""Who may move a document: inspection is the product's own; destroying is a right, or the system's for card data."""

from typing import Any

DESTROY = "documents.destroy_document"
DOWNLOAD_ORIGINAL = "documents.download_original"


def is_the_system(document: Any, by: Any) -> bool:
    return bool(by.audit_actor.kind == "system")


def may_destroy(document: Any, by: Any) -> bool:
    """Whether two persons are needed is the proposal's business, not asked here."""
    return is_the_system(document, by) or (by.audit_actor.kind == "staff" and bool(by.has_perm(DESTROY)))
