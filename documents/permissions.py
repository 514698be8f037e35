"""Who may move a document: inspection is the product's own; destroying is a right, or the system's for card data."""

from typing import TYPE_CHECKING, Any

from audit.actors import Acts

if TYPE_CHECKING:
    from documents.models import Document

DESTROY = "documents.destroy_document"
DOWNLOAD_ORIGINAL = "documents.download_original"


def is_the_system(document: "Document", by: Acts) -> bool:
    return by.audit_actor.kind == "system"


def may_destroy(document: "Document", by: Any) -> bool:
    """Whether two persons are needed is the proposal's business, not asked here."""
    return is_the_system(document, by) or (by.audit_actor.kind == "staff" and bool(by.has_perm(DESTROY)))
