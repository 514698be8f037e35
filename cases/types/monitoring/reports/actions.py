"""What the log of the AML side says of reports to the authority."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS = {
    **dict.fromkeys(
        (
            "state",
            "reference",
            "profile",
            "version",
            "kind",
            "suspicion_at",
            "due_at",
            "follows",
            "handed_over_human_id",
            "approved_by_id",
            "approved_human_id",
            "approved_at",
            "document_digest",
            "schema_digest",
            "claimed_by_id",
            "claimed_at",
            "submitted_at",
            "authority_reference",
            "rejected_reference",
            "receipt_digest",
            "answered_at",
            "digest",
            "consent",
            "consent_on",
            "what",
            "stage",
        ),
        Kept.PUBLIC,
    ),
    **dict.fromkeys(("document_sealed", "receipt_sealed", "words_sealed", "content_sealed"), Kept.OMIT),
}

register(
    Action("reports.draft", _("{actor} began a report"), FIELDS),
    Action("reports.write", _("{actor} wrote on a report"), FIELDS),
    Action("reports.date", _("The due time of a report moved earlier, with the suspicion"), FIELDS),
    Action("reports.read", _("{actor} read a report"), FIELDS),
    Action("reports.hand_over", _("{actor} handed a report to the reporting officer"), FIELDS),
    Action("reports.rework", _("{actor} gave a report back for more"), FIELDS),
    Action("reports.approve", _("{actor} approved a report"), FIELDS),
    Action("reports.leave", _("{actor} decided not to file a report"), FIELDS),
    Action("reports.claim", _("{actor} began to file a report"), FIELDS),
    Action("reports.take", _("{actor} took the document of a report away"), FIELDS),
    Action("reports.lose", _("It is uncertain whether a report arrived"), FIELDS),
    Action("reports.release", _("{actor} found that a report did not arrive"), FIELDS),
    Action("reports.submit", _("{actor} filed a report"), FIELDS),
    Action("reports.accept", _("{actor} noted that the authority accepted a report"), FIELDS),
    Action("reports.reject", _("{actor} noted that the authority rejected a report"), FIELDS),
    Action("reports.redraft", _("{actor} began to file a rejected report anew"), FIELDS),
    Action("reports.consent", _("{actor} noted what the authority said about consent"), FIELDS),
    Action("reports.due", _("A statutory time comes near or is over"), FIELDS),
    Action("reports.add_schema", _("{actor} added the schema of an authority"), FIELDS),
)
