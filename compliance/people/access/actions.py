"""What the log says of sessions, confirmations and emergencies."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    Action(
        "access.end_session",
        _("A session of {object} ended"),
        {"session": Kept.PUBLIC, "why": Kept.PUBLIC, "ended": Kept.PUBLIC},
    ),
    Action("access.know_in_directory", _("{object} signs in with the operator's directory from now on"), {}),
    Action(
        "access.forget_in_directory",
        _("{object} signs in with the operator's directory no more"),
        {"factors": Kept.PUBLIC},
    ),
    Action(
        "access.lock_sign_in",
        _("The sign-in of {object} was locked after {failed} failed attempts"),
        {"failed": Kept.PUBLIC},
    ),
    Action("access.confirm", _("{actor} confirmed who they are"), {"factors": Kept.PUBLIC}),
    Action("access.use_emergency", _("{actor} used a sign-in for emergencies"), {"told": Kept.PUBLIC}),
    Action("access.mark_emergency", _("{actor} set {object} aside for emergencies"), {}),
    Action("access.ask_link", _("Somebody asked for a link to set a new password"), {}),
    Action(
        "access.review",
        _("{actor} looked whether {object} still needs the role {role} in the team {team}"),
        {"team": Kept.PUBLIC, "role": Kept.PUBLIC, "verdict": Kept.PUBLIC},
    ),
    Action("access.export_review", _("{actor} exported who has which role"), {"rows": Kept.PUBLIC}),
    Action("access.list_staff", _("{actor} looked at the list of staff"), {"rows": Kept.PUBLIC}),
    Action("access.view_staff", _("{actor} looked at the rights of {object}"), {}),
    Action("access.view_as", _("{actor} looked at what {object} sees, without any content"), {}),
    Action("access.check_rights", _("{actor} checked all rights"), {"found": Kept.PUBLIC, "kinds": Kept.PUBLIC}),
)
