"""Who may move a document: inspecting and destroying are the product's own."""

from typing import Any

DOWNLOAD_ORIGINAL = "documents.download_original"


def is_the_system(document: Any, by: Any) -> bool:
    return bool(by.audit_actor.kind == "system")


def may_destroy(document: Any, by: Any) -> bool:
    """The product alone: for card data at once, else within an act that two persons decided (an erasure, a misfiled
    file). No person destroys a file by itself (OP.FOUR_EYES.DOCUMENTS_DESTROY).
    """
    return is_the_system(document, by)
