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
    TRANSACTIONS = "transactions"  # the policy's period for what was paid and played
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
        Class.STAFF,
        "a question to the log that somebody keeps, by ids; sealed for the customer it is about, its owner removes it",
    ),
    "keys.SubjectKey": _identity("destroying it is the erasure of everything sealed under it"),
    "keys.Tombstone": Decision(Class.LOG, "which keys were destroyed: a restored backup is compared with it; ids only"),
    "keys.EpochEnd": _house("which epochs of the wrapping key were destroyed, and when"),
    "outbox.OutboxRow": Decision(
        Class.PASSING, "ids only; done rows are proof of delivery until the sweep removes them"
    ),
    "rulebook.RuleSet": _house("the operator's own rules; cases name the set they were opened under"),
    "people.Licensee": _house("the legal entity that answers for the records"),
    "people.Brand": _house("a site of the licensee"),
    "people.Team": _house("who works together"),
    "people.Human": Decision(Class.STAFF, "ties two sign-ins of one person together"),
    "people.User": Decision(Class.STAFF, "entries name the sign-in by its id; it is switched off, not deleted"),
    "people.Membership": Decision(Class.STAFF, "who had which role; each change is an entry of the log"),
    "access.Session": Decision(Class.PASSING, "where staff are signed in; removed 30 days after its end"),
    "access.Emergency": Decision(Class.STAFF, "which sign-in lies in the safe"),
    "access.Identity": Decision(Class.STAFF, "who a sign-in is in the operator's directory: the id it has there"),
    "access.Attempts": Decision(Class.STAFF, "how often in a row a password was wrong; back to none at each sign-in"),
    "access.Tenure": Decision(Class.STAFF, "since and until when somebody has a role; goes with the role"),
    "monitoring.Investigation": Decision(Class.TRANSACTIONS, "what was suspected, looked into and decided, and why"),
    "monitoring.Lead": Decision(Class.TRANSACTIONS, "what an investigation began with; ids only"),
    "monitoring.Hypothesis": Decision(Class.TRANSACTIONS, "which explanations were looked into, sealed"),
    "monitoring.Exhibit": Decision(Class.TRANSACTIONS, "what a report rests on, by digest; files sealed"),
    "monitoring.Note": Decision(Class.TRANSACTIONS, "what the compartment told each other, sealed"),
    "monitoring.Request": Decision(Class.TRANSACTIONS, "which ordinary matter asked for documents; ids only"),
    "monitoring.Freeze": Decision(Class.TRANSACTIONS, "who held a player's money, and who agreed"),
    "monitoring.PlannedFreeze": Decision(Class.TRANSACTIONS, "that a rule asked for a hold; ids only"),
    "reports.Report": Decision(Class.TRANSACTIONS, "what was reported, or not, and why; sealed"),
    "reports.Told": Decision(Class.PASSING, "that a statutory time was said to come near; ids only"),
    "reports.Schema": _house("the form of an authority, as the operator supplied it"),
    "monitoring.RoutineHold": Decision(Class.PASSING, "until when chance holds a withdrawal"),
    "suspicions.SuspicionReport": _identity(
        "what staff suspected and when: until the player is erased and the period since the filing is over"
    ),
    "duty.Shift": Decision(Class.PASSING, "who is at work now; the next shift replaces it"),
    "duty.Absence": Decision(Class.STAFF, "who stood in for whom when something was decided"),
    "people.Person": Decision(Class.SUPPRESSION, "no personal data: the link that exclusions hang on"),
    "people.Customer": _identity("the identity data themselves"),
    "people.Account": _identity("contacts and the operator's reference"),
    "people.Restriction": Decision(Class.SUPPRESSION, "an exclusion must outlive an erasure"),
    "exclusions.Exclusion": Decision(Class.SUPPRESSION, "keeps a person out; ids and times, no word of why"),
    "exclusions.Duplicate": Decision(Class.SUPPRESSION, "who resembles somebody who is kept out, and who cleared it"),
    "exclusions.Suppressed": Decision(
        Class.SUPPRESSION, "keyed digests by which an excluded person is known again; gone when nobody keeps them out"
    ),
    "exclusions.LedgerEntry": Decision(Class.SUPPRESSION, "what a restored backup is compared with"),
    "exclusions.ClockMark": _house("when the clock was looked at last"),
    "people.RiskFact": _identity("part of the assessment that a decision rests on"),
    "sameness.Trait": _identity("a device or payment instrument as a keyed digest"),
    "sameness.Link": Decision(Class.SUPPRESSION, "who is one person: ids and codes; it keeps an excluded person out"),
    "sameness.Carried": Decision(Class.SUPPRESSION, "which restriction copies which: it keeps an excluded person out"),
    "proposals.Proposal": _identity("who decided with whom, on which evidence"),
    "proposals.ExportRequest": Decision(Class.LOG, "what left the house and who asked for it"),
    "platform.ApiKey": Decision(Class.STAFF, "entries name the key by its id; it is revoked, not deleted"),
    "platform.KeyRequest": Decision(Class.STAFF, "who asked for a key with wide scopes, in whose name; no secret"),
    "platform.DailyCount": Decision(Class.LOG, "shows that nothing is missing; the operator's own numbers, no names"),
    "webhooks.Endpoint": _house("where a licensee's events go; each change is an entry of the log"),
    "webhooks.Event": Decision(Class.PASSING, "references and codes, 30 days for platforms to catch up"),
    "webhooks.Delivery": Decision(Class.PASSING, "goes with its event"),
    "webhooks.Attempt": Decision(Class.PASSING, "goes with its event; what the receiver said is sealed"),
    "inbound.Sender": _house("who may send signed messages; each change is an entry of the log"),
    "inbound.Message": Decision(Class.PASSING, "ids for seven days; the body goes as soon as it was worked on"),
    "inbound.Mark": Decision(Class.LOG, "how far a sender is with each thing: ids and numbers"),
    "platform.UsedNonce": Decision(Class.PASSING, "which signatures of requests were used; gone ten minutes later"),
    "platform.IdempotencyRecord": Decision(Class.PASSING, "replies kept 48 hours for callers who repeat a request"),
    "documents.PartialUpload": Decision(Class.PASSING, "a file on its way in; gone a day after its last piece"),
    "documents.Piece": Decision(Class.PASSING, "where the bytes of such a file lie until it is whole"),
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
    "quality.SecondLook": _identity("who looked again at a decision, blind, and what came of it"),
    "marks.PlayerMark": _identity("who said that a player's cases are for few, and until when"),
    "marks.Named": _GRANT,
    "marks.ClosedCase": _GRANT,
    "glass.Opening": _identity("who opened a restricted matter by exception, why, and whether that was right"),
    "looking.Reason": Decision(Class.PASSING, "why somebody looks at a player; its sweep removes it, the entry stays"),
    "looking.Fact": Decision(
        Class.STAFF, "what stood out about who looked at whom, and what came of it; sealed for staff"
    ),
    "drafts.Draft": Decision(Class.PASSING, "what somebody is typing; goes when it is saved, or after 30 days"),
    "drafts.ClosedForm": Decision(
        Class.PASSING, "that a form was saved, so that what its page sends late is refused; 30 days"
    ),
    "contacts.Contact": _identity("what was said with the player, sealed"),
    "contacts.CallerCheck": _identity("whether a caller was checked before anything was disclosed; no answers"),
    "contacts.Task": _identity("what was promised, what asked for care, and what came of it"),
    "mail.Letter": _identity(
        "what the player wrote, sealed; what belongs to nobody is emptied after 30 days or a year"
    ),
    "mail.LetterFile": _identity("a file of a letter until the vault has it; its name, sealed"),
    "mail.Delivery": _identity("whether the player got what was written"),
    "mail.Attempt": Decision(Class.LOG, "each try to hand a message to the mail server; ids and times"),
    "mail.Poll": _house("how the last visit to a mailbox went"),
    "notices.Notice": Decision(Class.PASSING, "who was told of what; goes 90 days after it was read"),
    "notices.TeamNotices": Decision(Class.STAFF, "what a team is told of"),
    "notices.NoticePreferences": Decision(Class.STAFF, "what somebody wants to be told of"),
    "conflicts.ConflictOfInterest": Decision(Class.STAFF, "who may not see whom"),
    "macros.Macro": Decision(Class.STAFF, "what somebody does again and again"),
    "tags.Tag": _house("words of a licensee's own list"),
    "tags.Tagging": _identity("what a matter was sorted under"),
    "relations.Link": _identity("which matters belong together"),
    "relations.Merge": _identity("which matters went on as one, and how to undo it"),
    "relations.Watcher": Decision(Class.STAFF, "who follows which case; they stop when they like"),
    "corrections.Correction": _identity("what was wrong, sealed as what it corrects"),
    "former.FormerNumber": _identity(
        "under which number the matter was begun in a former system, and its note, sealed"
    ),
    "presence.Presence": Decision(Class.PASSING, "who looks at a case now; deleted after an hour"),
    "bulk.Batch": Decision(Class.LOG, "which act on many cases was asked for, by whom, and what came of it"),
    "bulk.Row": Decision(Class.LOG, "what came of it for each case"),
    "cases.CaseUserPermission": _GRANT,
    "cases.CaseGroupPermission": _GRANT,
    "cases.QueueUserPermission": _GRANT,
    "cases.QueueGroupPermission": _GRANT,
    "checks.Check": _identity("what a register, bank or vendor said of the player"),
    "risk.Assessment": _identity("how a level came about, sealed as the facts it rests on"),
    "risk.Profile": _identity("when the player's data is looked at again"),
    "risk.Override": _identity("who set a level over the arithmetic, until when and why"),
    "campaigns.Campaign": _house("whom the house looked at again, by what choice; each step is an entry of the log"),
    "campaigns.Member": _identity("that a player was looked at again together with others"),
    "amounts.Look": Decision(Class.PASSING, "that a player moved money; gone when it is added up"),
    "amounts.Crossing": _identity("which amount was reached when, and what followed; a sum, no transactions"),
    "verification.FundsDecision": _identity("who decided on the balance of a closed account, and how"),
    "verification.Requirement": _identity("what was asked for, and when it could first have been asked"),
    "verification.Ruling": _identity("what was said of each paper, by whom and when; codes only"),
    "gaming.GamingFacts": _identity("what was asked about play, and in which words, sealed"),
    "gaming.Interaction": _identity("what was noticed and advised: health data, in a compartment of its own"),
    "gaming.RegisterCheck": _identity("what a national register said of the player last"),
    "gaming.StopOrder": Decision(Class.LOG, "what the platform had to stop, and when it confirmed it"),
    "markers.Due": Decision(Class.PASSING, "that something new is known of a player; gone when they are counted"),
    "markers.Score": _identity("the sum of signs of harm, its lines sealed; made again from other records"),
    "markers.CareAction": _identity("what began by itself for a player, why, and who looked at it; sealed"),
    "verification.VerificationFacts": _identity("the level that was asked for"),
    "limits.Ledger": _identity("the account's currency, and the row that its checks lock"),
    "limits.LimitChange": _identity("what the player asked for, what was decided and when it took effect"),
    "limits.MoneyEvent": _identity("what limits are counted from: amounts and times under the account's id, no names"),
    "limits.Reservation": _identity("room set aside for a payment; shows why a later one was refused"),
    "transactions.Transaction": Decision(Class.TRANSACTIONS, "what was paid and played; ids, countries and digests"),
    "transactions.Waiting": Decision(Class.PASSING, "accepted and not counted yet; gone when it is"),
    "transactions.Source": Decision(Class.LOG, "digests by which nothing counts twice; no persons"),
    "transactions.CustomerState": Decision(Class.TRANSACTIONS, "sums of the rows, made again from them at any time"),
    "transactions.PaymentInstrument": Decision(Class.TRANSACTIONS, "what was paid with; its holder sealed"),
    "transactions.Use": Decision(Class.TRANSACTIONS, "which customers used the same thing; digests"),
    "transactions.Users": Decision(Class.LOG, "how many customers used a thing; digests, no persons"),
    "transactions.Import": Decision(Class.LOG, "which file was taken in, how far and what came of it"),
    "monitoring_rules.Rule": _house("what was looked for and since when; flags name their version"),
    "monitoring_rules.Flag": _identity("what was noticed, and that it was looked into"),
    "monitoring_rules.ShadowFlag": Decision(
        Class.PASSING, "what a rule on trial would have noticed; goes with its trial"
    ),
    "monitoring_rules.Snooze": _identity("who decided not to be told, why and until when"),
    "monitoring_rules.BackTest": _house("what a rule would have found: counts, no persons"),
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
