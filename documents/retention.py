"""How long the rows of each table are kept, as a decision about every table. A test asks that none was forgotten.

The years come from the policy of the licensee's jurisdiction (`retention.identity_documents`, `.transactions`,
`.books`), counted from the end of the relationship unless the policy says otherwise; a legal hold wins. Here stands
only which class a table belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Class(StrEnum):
    """What decides the end of a row's life."""

    IDENTITY = "identity_documents"  # the policy's period for identification papers and what was decided on them
    LOG = "log"  # as long as the longest record it proves; personal parts go earlier, with the subject's key
    STAFF = "staff"  # as long as what the person did must be attributable
    SUPPRESSION = "suppression"  # outlives erasure: it keeps an excluded person out
    INSTALLATION = "installation"  # describes the house, no person
    PASSING = "passing"  # emptied by its own sweep


@dataclass(frozen=True, slots=True)
class Decision:
    kept: Class
    why: str


def _identity(why: str) -> Decision:
    return Decision(Class.IDENTITY, why)


def _house(why: str) -> Decision:
    return Decision(Class.INSTALLATION, why)


_GRANT = _house("who may do what; each change is an entry of the log")

DECISIONS: Final[Mapping[str, Decision]] = {
    "audit.Entry": Decision(Class.LOG, "the log only grows; its sealed parts end with the subject's key"),
    "audit.SavedQuery": Decision(
        Class.STAFF, "a question to the log that somebody keeps; sealed, its owner removes it"
    ),
    "keys.SubjectKey": _identity("destroying it is the erasure of everything sealed under it"),
    "keys.Tombstone": Decision(Class.LOG, "which keys were destroyed: a restored backup is compared with it; ids only"),
    "keys.EpochEnd": _house("which epochs of the wrapping key were destroyed, and when"),
    "outbox.OutboxRow": Decision(
        Class.PASSING, "ids only; done rows are proof of delivery until the sweep removes them"
    ),
    "people.Licensee": _house("the legal entity that answers for the records"),
    "people.Brand": _house("a site of the licensee"),
    "people.Team": _house("who works together"),
    "people.Human": Decision(Class.STAFF, "ties two sign-ins of one person together"),
    "people.User": Decision(Class.STAFF, "entries name the sign-in by its id; it is switched off, not deleted"),
    "people.Membership": Decision(Class.STAFF, "who had which role; each change is an entry of the log"),
    "suspicions.SuspicionReport": _identity("what staff suspected and when; the AML side decides what becomes of it"),
    "people.Person": Decision(Class.SUPPRESSION, "no personal data: the link that exclusions hang on"),
    "people.Customer": _identity("the identity data themselves"),
    "people.Account": _identity("contacts and the operator's reference"),
    "people.Restriction": Decision(Class.SUPPRESSION, "an exclusion must outlive an erasure"),
    "people.RiskFact": _identity("part of the assessment that a decision rests on"),
    "proposals.Proposal": _identity("who decided with whom, on which evidence"),
    "proposals.ExportRequest": Decision(Class.LOG, "what left the house and who asked for it"),
    "platform.ApiKey": Decision(Class.STAFF, "entries name the key by its id; it is revoked, not deleted"),
    "platform.DailyCount": Decision(Class.LOG, "shows that nothing is missing; the operator's own numbers, no names"),
    "platform.IdempotencyRecord": Decision(Class.PASSING, "replies kept 48 hours for callers who repeat a request"),
    "documents.Document": _identity("the paper itself; its file ends with its key"),
    "keeping.LegalHold": Decision(Class.LOG, "why something was kept longer; its note ends with the customer's key"),
    "keeping.RelationshipEnd": Decision(Class.LOG, "the day from which the periods ran"),
    "keeping.Erasure": Decision(Class.LOG, "the record of an erasure, ids only; TR asks for three years"),
    "cases.NumberSeries": _house("the last tracking number given"),
    "cases.Queue": _house("whose work it is"),
    "cases.SavedView": Decision(Class.STAFF, "how somebody likes their list"),
    "cases.Case": _identity("the matter and its outcome"),
    "cases.Evidence": _identity("the verdict on each paper"),
    "cases.Message": _identity("what the player was told, sealed"),
    "cases.Note": _identity("what staff told each other, sealed"),
    "clocks.QueueHours": _house("when a queue works and its targets; each change is an entry of the log"),
    "clocks.Clock": _identity("how long a matter took, and why"),
    "clocks.Pause": _identity("time that did not count, with its reason"),
    "drafts.Draft": Decision(Class.PASSING, "what somebody is typing; goes when it is saved, or after 30 days"),
    "contacts.Contact": _identity("what was said with the player, sealed"),
    "contacts.CallerCheck": _identity("whether a caller was checked before anything was disclosed; no answers"),
    "contacts.Task": _identity("what was promised, what asked for care, and what came of it"),
    "cases.ConflictOfInterest": Decision(Class.STAFF, "who may not see whom"),
    "cases.CaseUserPermission": _GRANT,
    "cases.CaseGroupPermission": _GRANT,
    "cases.QueueUserPermission": _GRANT,
    "cases.QueueGroupPermission": _GRANT,
    "verification.VerificationFacts": _identity("the level that was asked for"),
    "auth.Permission": _house("Django's list of rights"),
    "auth.Group": _house("roles and teams as groups"),
    "auth.Group_permissions": _GRANT,
    "people.User_groups": _GRANT,
    "people.User_user_permissions": _GRANT,
    "guardian.GroupObjectPermission": _house("guardian's generic grants: unused, ours hang on the object itself"),
    "guardian.UserObjectPermission": _house("guardian's generic grants: unused, ours hang on the object itself"),
    "contenttypes.ContentType": _house("Django's list of models"),
    "sessions.Session": Decision(Class.PASSING, "ends after ten hours; expired rows are cleared daily"),
    "account.EmailAddress": Decision(Class.STAFF, "the address of a sign-in, as the sign-in library keeps it"),
    "account.EmailConfirmation": Decision(Class.PASSING, "unused: addresses are set by an administrator"),
    "mfa.Authenticator": Decision(Class.STAFF, "the second factor of a sign-in; goes when the sign-in is closed"),
}
