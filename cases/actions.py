"""What the engine writes into the log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

PUBLIC, SEALED = Kept.PUBLIC, Kept.SEALED

# Fields that moves of any case may change.
CASE_FIELDS = {
    "state": PUBLIC,
    "outcome": PUBLIC,
    "reason": PUBLIC,
    "waiting_for": PUBLIC,
    "closed_at": PUBLIC,
    "due_at": PUBLIC,
    "assignee_id": PUBLIC,
    "policy": PUBLIC,
    "evidence": PUBLIC,
    "proposal": PUBLIC,
    "maker": PUBLIC,
    "level": PUBLIC,
    "answer_due_at": PUBLIC,
}
EVIDENCE_FIELDS = {
    "state": PUBLIC,
    "reasons": PUBLIC,
    "decided_at": PUBLIC,
    "decided_by_id": PUBLIC,
    "told": PUBLIC,
    "purpose": PUBLIC,
    "document_type": PUBLIC,
    "document": PUBLIC,
    "issued_on": SEALED,
    "valid_until": SEALED,
    "good_until": SEALED,
}

register(
    Action("evidence.attach", _("{actor} added a file: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.accept", _("{actor} accepted: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.ask_again", _("{actor} asks again for: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.reject", _("{actor} refused: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.revoke", _("{actor} took back the acceptance of a file"), EVIDENCE_FIELDS),
    Action("evidence.reconsider", _("{actor} took back the verdict on: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.supersede", _("A newer file replaced an older one: {purpose}"), EVIDENCE_FIELDS),
    Action("evidence.expire", _("A file is out of date"), EVIDENCE_FIELDS),
    Action("cases.assign", _("{actor} changed who is responsible"), CASE_FIELDS),
    Action("cases.write_note", _("{actor} wrote an internal note")),
    Action(
        "cases.write_message",
        _("{actor} wrote to the player"),
        # `told` holds the ids of the verdicts that the player learned of with it.
        {"code": PUBLIC, "language": PUBLIC, "text": SEALED, "told": PUBLIC},
    ),
    Action("cases.send_message", _("The message to the player was sent"), {"code": PUBLIC, "channel": PUBLIC}),
    # Reads are entries of "audit.read"; this one says who was refused.
    Action("cases.view", _("{actor} asked for a case")),
    Action("cases.list", _("{actor} looked at a list of cases"), {"query": PUBLIC, "rows": PUBLIC}),
    Action(
        "cases.save_view", _("{actor} saved a view of the queue"), {"name": SEALED, "query": PUBLIC, "team": PUBLIC}
    ),
    Action("cases.drop_view", _("{actor} removed a saved view of the queue"), {"name": SEALED}),
    Action("cases.take_list", _("{actor} took a list of cases as a file"), {"query": PUBLIC, "rows": PUBLIC}),
    Action("cases.search", _("{actor} searched for a player or a case"), {"query": SEALED, "rows": PUBLIC}),
    Action(
        "cases.open_queue",
        _("{actor} opened a queue"),
        {"team": PUBLIC, "licensee": PUBLIC, "kind": PUBLIC, "roles": PUBLIC},
    ),
    Action(
        "cases.declare_conflict", _("{actor} declared a conflict of interest"), {"user": PUBLIC, "relation": SEALED}
    ),
)
