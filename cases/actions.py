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
    "priority": PUBLIC,
    "raised_by": PUBLIC,
    "snoozed_until": PUBLIC,
    "snoozed_because": PUBLIC,
    "wakes_on": PUBLIC,
    "merged_into_id": PUBLIC,
    "restricted": PUBLIC,
    "urgency": PUBLIC,
    "priority_rule": PUBLIC,
    "batch": PUBLIC,  # the bulk act that this was a part of
}
RESTRICTED_FIELDS = {"users": PUBLIC, "restricted": PUBLIC}
GRANT_FIELDS = {"users": PUBLIC, "rights": PUBLIC}
# A file that lay with the wrong player: the other case, who saw it there, and whether anybody outside did.
MISFILED = dict.fromkeys(("other", "document", "staff", "outside", "told_wrongly", "offered"), PUBLIC)
EVIDENCE_FIELDS = {
    "state": PUBLIC,
    "reasons": PUBLIC,
    "decided_at": PUBLIC,
    "decided_by_id": PUBLIC,
    "told": PUBLIC,
    "purpose": PUBLIC,
    "document_type": PUBLIC,
    "document": PUBLIC,
    "also": PUBLIC,  # the purpose for which the file was here before
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
    Action(
        "evidence.move_away",
        _("{actor} moved a file to {other}: it belongs to another player"),
        EVIDENCE_FIELDS | MISFILED,
    ),
    Action("evidence.move_in", _("{actor} moved a file from {other}: it belongs to this player"), MISFILED),
    Action("cases.assign", _("{actor} changed who is responsible"), CASE_FIELDS),
    Action(
        "cases.snooze",
        _("{actor} snoozed the case until {snoozed_until}: {snoozed_because}. Clocks go on."),
        CASE_FIELDS,
    ),
    Action("cases.wake", _("The case is back from being snoozed"), CASE_FIELDS),
    Action("cases.set_priority", _("{actor} changed the priority: {urgency}"), CASE_FIELDS),
    Action("cases.raise_priority", _("A rule raised the priority: {urgency}. {priority_rule}"), CASE_FIELDS),
    Action("cases.restrict", _("{actor} restricted the case to persons named"), RESTRICTED_FIELDS),
    Action("cases.unrestrict", _("{actor} opened the case to its team again"), RESTRICTED_FIELDS),
    Action("cases.name_person", _("{actor} named one more person on the restricted case"), RESTRICTED_FIELDS),
    Action("cases.end_grant", _("What a person named on the case might do ended with their role"), GRANT_FIELDS),
    Action(
        "cases.set_assignment",
        _("{actor} set how a queue gives its cases out"),
        {"gives_out": PUBLIC, "most_each": PUBLIC},
    ),
    Action("cases.write_note", _("{actor} wrote an internal note"), {"batch": PUBLIC}),
    Action(
        "cases.write_message",
        _("{actor} wrote to the player"),
        # `told` holds the ids of the verdicts that the player learned of with it.
        {"code": PUBLIC, "language": PUBLIC, "version": PUBLIC, "text": SEALED, "told": PUBLIC},
    ),
    Action("cases.send_message", _("The message to the player was sent"), {"code": PUBLIC, "channel": PUBLIC}),
    # Reads are entries of "audit.read"; this one says who was refused.
    Action("cases.view", _("{actor} asked for a case")),
    Action("cases.list_contacts", _("{actor} looked at contacts with players"), {"query": PUBLIC, "rows": PUBLIC}),
    Action("cases.list_customers", _("{actor} looked at players"), {"query": PUBLIC, "rows": PUBLIC}),
    Action("cases.list_proposals", _("{actor} looked at proposals"), {"query": PUBLIC, "rows": PUBLIC}),
    Action(
        "cases.list_restrictions",
        _("{actor} looked at accounts that are restricted"),
        {"query": PUBLIC, "rows": PUBLIC},
    ),
    Action("cases.list_accounts", _("{actor} looked at accounts"), {"query": PUBLIC, "rows": PUBLIC}),
    Action("cases.list", _("{actor} looked at a list of cases"), {"query": PUBLIC, "rows": PUBLIC}),
    Action(
        "cases.save_view", _("{actor} saved a view of the queue"), {"name": SEALED, "query": PUBLIC, "team": PUBLIC}
    ),
    Action("cases.drop_view", _("{actor} removed a saved view of the queue"), {"name": SEALED}),
    Action("cases.take_list", _("{actor} took a list of cases as a file"), {"query": PUBLIC, "rows": PUBLIC}),
    Action(
        "cases.search",
        _("{actor} searched for a player or a case"),
        {"query": SEALED, "rows": PUBLIC, "masked": PUBLIC},
    ),
    Action(
        "cases.open_queue",
        _("{actor} opened a queue"),
        {"team": PUBLIC, "licensee": PUBLIC, "kind": PUBLIC, "roles": PUBLIC},
    ),
    Action(
        "cases.declare_conflict", _("{actor} declared a conflict of interest"), {"user": PUBLIC, "relation": SEALED}
    ),
)
