"""A customer's key that may have leaked: a new version seals from now on, the documents' keys are rewrapped under it.

No file is rewritten. What older versions sealed in rows and in the log still opens with them.
"""

from typing import Any

from django.db import transaction

from audit.actors import Acts
from compliance.keys.services import renew_subject_key, unwrap_document_key, wrap_document_key
from compliance.people.models import Customer
from documents.models import Document


@transaction.atomic
def renew(customer: Customer, *, by: Acts, reason: str) -> dict[str, Any]:
    """{"version", "documents"}: the new version, and how many documents' keys it wraps now. All or nothing."""
    subject = customer.audit_subject
    row = renew_subject_key(subject, by=by, reason=reason)
    count = 0
    documents = Document.objects.select_for_update(of=("self",)).filter(customer=customer, dek_wrapped__isnull=False)
    for document in documents.order_by("pk"):
        key = unwrap_document_key(subject, document.pk, bytes(document.dek_wrapped or b""), document.key_version)
        wrapped, version = wrap_document_key(subject, document.pk, key)
        Document.objects.filter(pk=document.pk).update(dek_wrapped=wrapped, key_version=version)
        count += 1
    return {"version": row.version, "documents": count}
