"""What the log says of proposals."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

FIELDS: Final[Mapping[str, Kept]] = {
    "act": Kept.PUBLIC,
    "subject_kind": Kept.PUBLIC,
    "subject_id": Kept.PUBLIC,
    "inputs": Kept.PUBLIC,  # ids and codes: `propose` refuses anything else
    "evidence_digest": Kept.PUBLIC,
    "rule": Kept.PUBLIC,
    "policy": Kept.PUBLIC,
    "named_checker": Kept.PUBLIC,
    "before": Kept.PUBLIC,  # whom it named before
    "expires_at": Kept.PUBLIC,
    "maker": Kept.PUBLIC,
    "changed": Kept.PUBLIC,
    "state": Kept.PUBLIC,
    "checker_id": Kept.PUBLIC,
    "checker_human_id": Kept.PUBLIC,
    "decided_at": Kept.PUBLIC,
    "managers": Kept.PUBLIC,
    "changes": Kept.OMIT,  # `changed` names the items; how they stand now is in their own entries
    "answer_sealed": Kept.OMIT,  # the same words are sealed in the entry as its note
}

register(
    Action("proposals.propose", _("{actor} proposed {act}"), FIELDS),
    Action("proposals.confirm", _("{actor} confirmed {act}"), FIELDS),
    Action("proposals.send_back", _("{actor} sent {act} back"), FIELDS),
    Action("proposals.withdraw", _("{actor} withdrew {act}"), FIELDS),
    Action("proposals.name_checker", _("{actor} submitted {act} to somebody else by name"), FIELDS),
    Action("proposals.void", _("{act} became void: the evidence changed"), FIELDS),
    Action("proposals.escalate", _("Managers were told that nobody decided {act} in time"), FIELDS),
    Action("proposals.expire", _("{act} expired without a decision; nothing changed"), FIELDS),
)
