"""What the log says of documents. The plaintext's digest is sealed: a passport scan's hash can confirm possession."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

_COLUMNS = {
    "state": Kept.PUBLIC,
    "reason": Kept.PUBLIC,
    "media_type": Kept.PUBLIC,
    "size": Kept.PUBLIC,
    "ciphertext_digest": Kept.PUBLIC,
    "key_version": Kept.PUBLIC,
    "facts": Kept.SEALED,
    "inspected_at": Kept.PUBLIC,
    "destroyed_at": Kept.PUBLIC,
    "claimed_at": Kept.OMIT,
    "attempts": Kept.OMIT,
    "scrubbed_at": Kept.OMIT,
    "reading_sealed": Kept.OMIT,
    "number_tail_index": Kept.OMIT,
    "name_sealed": Kept.OMIT,
    "digest_sealed": Kept.OMIT,
    "digest_index": Kept.OMIT,
    "dek_wrapped": Kept.OMIT,
}

register(
    Action(
        "documents.receive",
        _("{actor} received a document"),
        {
            "media_type": Kept.PUBLIC,
            "size": Kept.PUBLIC,
            "ciphertext_digest": Kept.PUBLIC,
            "key_version": Kept.PUBLIC,
            "digest": Kept.SEALED,
            "name": Kept.SEALED,
        },
    ),
    Action("documents.pass_inspection", _("{actor} found nothing against showing the document"), _COLUMNS),
    Action("documents.quarantine", _("{actor} put the document into quarantine"), _COLUMNS),
    Action("documents.mark_unscannable", _("{actor} could not check the document"), _COLUMNS),
    Action("documents.destroy", _("{actor} destroyed the document"), _COLUMNS),
    Action("documents.begin_upload", _("{actor} began to send a file in pieces"), {"size": Kept.PUBLIC}),
    Action(
        "documents.abandon_upload",
        _("{actor} gave up a file that was sent in pieces"),
        {"size": Kept.PUBLIC, "offset": Kept.PUBLIC},
    ),
    Action("documents.release_original", _("{actor} took the original of the document out of the vault")),
    Action(
        "documents.read_by_eye",
        _("{actor} wrote down what stands on the document"),
        {"fields": Kept.PUBLIC, "before": Kept.SEALED, "after": Kept.SEALED},
    ),
    Action("documents.print", _("{actor} printed the document, with the watermark")),
    Action(
        "documents.fail_integrity", _("The document's file failed its integrity check for {actor}"), {"at": Kept.PUBLIC}
    ),
    Action(
        "documents.scrub",
        _("{actor} compared {checked} files with their digests: {failed} are not what they were"),
        dict.fromkeys(("checked", "bytes", "failed", "orphans", "left"), Kept.PUBLIC),
    ),
    Action(
        "documents.index",
        _("{actor} filled the index by which papers are found: {filled} of {read}"),
        {"read": Kept.PUBLIC, "filled": Kept.PUBLIC, "unreadable": Kept.PUBLIC},
    ),
    Action("documents.set_aside_orphan", _("{actor} set aside a file that belongs to no document")),
    Action("documents.bring_back_file", _("{actor} brought back the file of a document")),
    Action("documents.remove_orphan", _("{actor} removed a file that belongs to no document")),
)
