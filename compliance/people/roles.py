"""Who may do what, in words and in rights. The description is what staff read, the lists are what they get.

To add a role: write its class here and add it to ROLES. `people.services.sync_roles` (after every migration, or
`manage.py people sync-roles`) makes the groups. A right is granted to a role's group, never to one person.

`permissions` are Django permission names and hold everywhere. `queue_permissions` hold on the queues of the team only.
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

VIEW, WORK, DECIDE = "view_case", "work_case", "decide_case"


class Role:
    name: ClassVar[str]
    display_name: ClassVar[Promise]
    description: ClassVar[Promise]
    permissions: ClassVar[tuple[str, ...]] = ()
    queue_permissions: ClassVar[tuple[str, ...]] = ()
    aml: ClassVar[bool] = False  # the reporting officer gives it, and nobody else
    ends: ClassVar[bool] = False  # it is given for some days only


class Agent(Role):
    name = "agent"
    display_name = _("Agent")
    description = _("Works on the cases of the team: judges files, asks players for more, proposes decisions.")
    permissions = ("people.reveal_customer", "rulebook.view_rules")
    queue_permissions = (VIEW, WORK)


class Officer(Role):
    name = "officer"
    display_name = _("Officer")
    description = _("Does what an agent does, and decides: confirms or sends back what somebody else proposed.")
    permissions = (
        "people.reveal_customer",
        "documents.download_original",
        "quality.look_again",
        "glass.open_restricted",
        "rulebook.view_rules",
        "rulebook.change_rules",
        "campaigns.run_campaigns",
    )
    queue_permissions = (VIEW, WORK, DECIDE)


class Analyst(Role):
    name = "analyst"
    aml = True
    display_name = _("AML analyst")
    description = _("Investigates flags and drafts reports for the reporting officer.")
    permissions = ("monitoring.investigate", "monitoring_rules.view_rules", "monitoring_rules.change_rules")


class ReportingOfficer(Role):
    name = "mlro"
    aml = True
    display_name = _("Reporting officer")
    description = _("Decides what is reported to the authority and who belongs to the AML side; reads suspicions.")
    permissions = (
        "suspicions.read_suspicions",
        "access.grant_aml",
        "access.view_staff",
        "monitoring.investigate",
        "monitoring.decide",
        "monitoring_rules.view_rules",
        "monitoring_rules.change_rules",
    )


class DeputyReportingOfficer(Role):
    name = "deputy_mlro"
    aml = True
    display_name = _("Deputy reporting officer")
    description = _("Stands in for the reporting officer in absence, with the same queue, clocks and suspicions.")
    permissions = (
        "suspicions.read_suspicions",
        "monitoring.investigate",
        "monitoring.decide",
        "monitoring_rules.view_rules",
        "monitoring_rules.change_rules",
    )


class GamingOfficer(Role):
    name = "rg_officer"
    display_name = _("Responsible gaming officer")
    description = _("Looks after limits, exclusions and signs of harm, and reads notes on health.")
    permissions = ("people.reveal_customer", "gaming.read_interaction", "rulebook.view_rules")
    queue_permissions = (VIEW, WORK, DECIDE)


class PrivacyOfficer(Role):
    name = "privacy_officer"
    display_name = _("Privacy officer")
    description = _("Places legal holds and, two of them together, erases a player's data when no rule keeps it.")
    permissions = (
        "keeping.erase_customer",
        "keeping.hold_records",
        "documents.download_original",
        "glass.review_openings",
        "looking.see_lookers",
        "rulebook.view_rules",
    )


class Manager(Role):
    name = "manager"
    display_name = _("Manager")
    description = _(
        "Distributes the team's work, watches its clocks and the quality of its decisions, and is told when nobody"
        " decides in time."
    )
    permissions = (
        "access.view_staff",
        "quality.lead_team",
        "quality.look_again",
        "glass.open_restricted",
        "glass.review_openings",
        "looking.see_lookers",
        "rulebook.view_rules",
    )
    queue_permissions = (VIEW, WORK)


class Auditor(Role):
    name = "auditor"
    display_name = _("Auditor")
    description = _("Reads the log, looks at the team's cases and exports proofs. Changes nothing.")
    permissions = (
        "audit.view_entry",
        "audit.export_entry",
        "access.view_staff",
        "rulebook.view_rules",
        "looking.see_lookers",
    )
    queue_permissions = (VIEW,)


class AmlAuditor(Role):
    name = "aml_auditor"
    aml = True
    ends = True
    display_name = _("Auditor of the AML side")
    description = _(
        "Reads the log of the AML side too, for some days, let in by the reporting officer. Changes nothing."
    )
    permissions = ("audit.view_entry", "audit.export_entry", "audit.view_aml_entry")


class Admin(Role):
    name = "admin"
    display_name = _("Administrator")
    description = _(
        "Adds people, gives and takes roles except those of the AML side, looks after the connection with the "
        "platform; sees no player data."
    )
    permissions = (
        "people.manage_staff",
        "access.view_staff",
        "outbox.settle_outboxrow",
        "platform.manage_key",
        "webhooks.manage_endpoint",
    )


class Integration(Role):
    name = "integration"
    display_name = _("Integration")
    description = _("An API key of the platform, within its scopes. Never a person.")


ROLES: dict[str, type[Role]] = {
    role.name: role
    for role in (
        Agent,
        Officer,
        Analyst,
        ReportingOfficer,
        DeputyReportingOfficer,
        GamingOfficer,
        PrivacyOfficer,
        Manager,
        Auditor,
        AmlAuditor,
        Admin,
        Integration,
    )
}

AML_ROLES = frozenset(role.name for role in ROLES.values() if role.aml)

# What a right is, in words: role pages are made of these, and a test asks that no right of a role is missing.
RIGHTS: dict[str, Promise] = {
    "people.reveal_customer": _("See what is masked of a player, with each look noted"),
    "people.manage_staff": _("Add and close sign-ins, give and take roles except those of the AML side"),
    "access.grant_aml": _("Give and take roles of the AML side"),
    "access.view_staff": _("See who has which role"),
    "rulebook.view_rules": _("See the rules in force and where they come from"),
    "rulebook.change_rules": _("Propose changes of the rules, or confirm them"),
    "campaigns.run_campaigns": _("Prepare, confirm and pause campaigns that look at many players again"),
    "quality.look_again": _("Look again at closed cases, without seeing how they ended"),
    "quality.lead_team": _("See the load of the teams one leads, hand work over, settle disagreements"),
    "glass.open_restricted": _("Open one restricted case by exception, for an hour at most"),
    "glass.review_openings": _("Look whether an exceptional access was justified"),
    "looking.see_lookers": _("See who looked at a player, and take that out"),
    "documents.download_original": _("Take the original of a file away"),
    "gaming.read_interaction": _("Read and write what was noticed of a player's health"),
    "suspicions.read_suspicions": _("Read suspicion reports"),
    "monitoring.investigate": _("Work on investigations of the AML side"),
    "monitoring.decide": _("Decide on investigations and reports to the authority"),
    "monitoring_rules.view_rules": _("See the rules that watch transactions, and what they find"),
    "monitoring_rules.change_rules": _("Write such rules, try them, propose that they go live, or confirm it"),
    "keeping.erase_customer": _("Propose that a player's data is erased, or confirm it"),
    "keeping.hold_records": _("Place a legal hold"),
    "outbox.settle_outboxrow": _("See what could not be delivered, have it tried again or drop it"),
    "platform.manage_key": _("Issue, replace and revoke the keys of the API"),
    "webhooks.manage_endpoint": _("Say where events go, and read what became of each delivery"),
    "audit.view_entry": _("Read the log, and what auditors look at"),
    "audit.export_entry": _("Export from the log"),
    "audit.view_aml_entry": _("Read the log of the AML side"),
    VIEW: _("See the cases of the team's queues"),
    WORK: _("Work on them: judge files, write to the player, propose decisions"),
    DECIDE: _("Decide on them: confirm or send back what somebody else proposed"),
}
