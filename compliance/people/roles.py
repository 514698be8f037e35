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


class Agent(Role):
    name = "agent"
    display_name = _("Agent")
    description = _("Works on the cases of the team: judges files, asks players for more, proposes decisions.")
    permissions = ("people.reveal_customer",)
    queue_permissions = (VIEW, WORK)


class Officer(Role):
    name = "officer"
    display_name = _("Officer")
    description = _("Does what an agent does, and decides: confirms or sends back what somebody else proposed.")
    permissions = ("people.reveal_customer", "documents.download_original", "documents.destroy_document")
    queue_permissions = (VIEW, WORK, DECIDE)


class Analyst(Role):
    name = "analyst"
    display_name = _("AML analyst")
    description = _("Investigates flags and drafts reports for the reporting officer. Not in use yet.")


class ReportingOfficer(Role):
    name = "mlro"
    display_name = _("Reporting officer")
    description = _("Decides what is reported to the authority and who belongs to the AML side; reads suspicions.")
    permissions = ("suspicions.read_suspicions",)


class DeputyReportingOfficer(Role):
    name = "deputy_mlro"
    display_name = _("Deputy reporting officer")
    description = _("Stands in for the reporting officer in absence, with the same queue, clocks and suspicions.")
    permissions = ("suspicions.read_suspicions",)


class GamingOfficer(Role):
    name = "rg_officer"
    display_name = _("Responsible gaming officer")
    description = _("Looks after limits, exclusions and signs of harm, and reads notes on health. Not in use yet.")


class PrivacyOfficer(Role):
    name = "privacy_officer"
    display_name = _("Privacy officer")
    description = _("Places legal holds and, two of them together, erases a player's data when no rule keeps it.")
    permissions = (
        "keeping.erase_customer",
        "keeping.hold_records",
        "documents.download_original",
        "documents.destroy_document",
    )


class Manager(Role):
    name = "manager"
    display_name = _("Manager")
    description = _("Distributes the team's work, watches its clocks, and is told when nobody decides in time.")
    queue_permissions = (VIEW, WORK)


class Auditor(Role):
    name = "auditor"
    display_name = _("Auditor")
    description = _("Reads the log, looks at the team's cases and exports proofs. Changes nothing.")
    permissions = ("audit.view_entry", "audit.export_entry")
    queue_permissions = (VIEW,)


class Admin(Role):
    name = "admin"
    display_name = _("Administrator")
    description = _("Looks after people and settings, and sees no player data. Not in use yet.")


class Integration(Role):
    name = "integration"
    display_name = _("Integration")
    description = _("An API key of the platform, within its scopes. Never a person. Not in use yet.")


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
        Admin,
        Integration,
    )
}
