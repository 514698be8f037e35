"""What the log of the AML side says of investigations and freezes. None of it stands in the main log."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

CHANGED = {
    "state": Kept.PUBLIC,
    "former_state": Kept.PUBLIC,
    "merged_into_id": Kept.PUBLIC,
    "outcome": Kept.PUBLIC,
    "reason": Kept.PUBLIC,
    "assignee_id": Kept.PUBLIC,
    "suspicion_at": Kept.PUBLIC,
    "flagged_at": Kept.PUBLIC,
    "urgent": Kept.PUBLIC,
    "closed_at": Kept.PUBLIC,
    "words_sealed": Kept.OMIT,  # the same words are sealed in the entry as its note
    "other": Kept.PUBLIC,
    "proposal": Kept.PUBLIC,
    "maker": Kept.PUBLIC,
}
FROZEN = {
    "state": Kept.PUBLIC,
    "customer": Kept.PUBLIC,
    "restriction": Kept.PUBLIC,
    "second_by": Kept.PUBLIC,
    "seconded_by_id": Kept.PUBLIC,
    "seconded_human_id": Kept.PUBLIC,
    "seconded_at": Kept.PUBLIC,
    "lifted_at": Kept.PUBLIC,
    "proposal": Kept.PUBLIC,
    "maker": Kept.PUBLIC,
}
RULE = {"rule": Kept.PUBLIC, "number": Kept.PUBLIC}
EXHIBIT = {"exhibit": Kept.PUBLIC, "digest": Kept.PUBLIC}

register(
    Action("monitoring.open", _("{actor} opened an investigation"), {"customer": Kept.PUBLIC}),
    Action("monitoring.attach", _("{actor} added a lead"), {"lead": Kept.PUBLIC, "lead_id": Kept.PUBLIC}),
    Action("monitoring.date", _("The earliest moment of suspicion or flag moved back"), CHANGED),
    Action("monitoring.suspect", _("{actor} wrote down since when there is suspicion"), CHANGED),
    Action("monitoring.urgent", _("{actor} said whether it is urgent"), CHANGED),
    Action("monitoring.take_up", _("{actor} took the investigation up"), CHANGED),
    Action("monitoring.assign", _("{actor} gave the investigation to somebody"), CHANGED),
    Action("monitoring.wait", _("{actor} waits for documents"), CHANGED),
    Action("monitoring.resume", _("{actor} went on with the investigation"), CHANGED),
    Action("monitoring.hand_over", _("{actor} handed the investigation to the reporting officer"), CHANGED),
    Action("monitoring.return_to_analyst", _("{actor} gave the investigation back for more"), CHANGED),
    Action("monitoring.report", _("{actor} decided to report"), CHANGED),
    Action("monitoring.watch_on", _("The authority has the report; the player is watched on"), CHANGED),
    Action("monitoring.close", _("{actor} closed the investigation"), CHANGED),
    Action("monitoring.reopen", _("{actor} reopened the investigation"), CHANGED),
    Action("monitoring.merge", _("{actor} merged the investigation into {other}"), CHANGED),
    Action("monitoring.take_in", _("{actor} merged {other} into this investigation"), CHANGED),
    Action("monitoring.unmerge", _("{actor} took the investigation out of {other} again"), CHANGED),
    Action("monitoring.give_back", _("{actor} took {other} out of this investigation again"), CHANGED),
    Action(
        "monitoring.judge",
        _("{actor} looked into an explanation"),
        {"hypothesis": Kept.PUBLIC, "verdict": Kept.PUBLIC},
    ),
    Action("monitoring.write", _("{actor} wrote a note"), {"note_id": Kept.PUBLIC}),
    Action("monitoring.put_in", _("{actor} put something into the evidence basket"), EXHIBIT),
    Action("monitoring.take_out", _("{actor} took something out of the evidence basket"), EXHIBIT),
    Action("monitoring.take_file", _("{actor} took a file of the evidence away"), EXHIBIT),
    Action("monitoring.ask", _("{actor} asked for documents through the routine"), {"case_id": Kept.PUBLIC}),
    Action(
        "monitoring.list",
        _("{actor} looked at the list of investigations"),
        dict.fromkeys(("view", "rows", "query"), Kept.PUBLIC),
    ),
    Action("monitoring.read_lead", _("{actor} read a lead"), {"lead": Kept.PUBLIC, "lead_id": Kept.PUBLIC}),
    Action("freezes.place", _("{actor} froze the player’s withdrawals"), FROZEN),
    Action("freezes.plan", _("A rule asks that the player’s withdrawals are held"), RULE),
    Action("freezes.forgo", _("The flag was closed before the hold came: there is none"), RULE),
    Action("freezes.second", _("{actor} agreed that they stay frozen"), FROZEN),
    Action("freezes.escalate", _("Nobody else looked at the freeze in time; it stays"), FROZEN),
    Action("freezes.lift", _("{actor} let withdrawals go on"), FROZEN),
)
