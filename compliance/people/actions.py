"""What the log says of staff and players."""

from django.utils.translation import gettext_lazy as _

from audit.registry import Action, Kept, register

register(
    # Staff
    Action("people.create_team", _("{actor} made the team {object}"), {"slug": Kept.PUBLIC}),
    Action("people.create_user", _("{actor} added {object} to the staff"), {"name": Kept.SEALED, "email": Kept.SEALED}),
    Action(
        "people.deactivate_user",
        _("{actor} closed the sign-in of {object}"),
        {"is_active": Kept.PUBLIC, "ended": Kept.PUBLIC, "roles": Kept.PUBLIC},
    ),
    Action("people.reactivate_user", _("{actor} opened the sign-in of {object} again"), {"is_active": Kept.PUBLIC}),
    Action(
        "people.join_team",
        _("{actor} gave {object} the role {role} in the team {team}"),
        {"team": Kept.PUBLIC, "role": Kept.PUBLIC, "until": Kept.PUBLIC},
    ),
    Action(
        "people.leave_team",
        _("{actor} took the role {role} in the team {team} from {object}"),
        {"team": Kept.PUBLIC, "role": Kept.PUBLIC},
    ),
    Action("people.sync_roles", _("{actor} brought the rights of the roles up to date"), {"changed": Kept.PUBLIC}),
    Action(
        "people.set_preferences",
        _("{actor} changed how pages look"),
        {
            "language": Kept.PUBLIC,
            "time_zone": Kept.PUBLIC,
            "theme": Kept.PUBLIC,
            "keys_on": Kept.PUBLIC,
            "keys": Kept.PUBLIC,
        },
    ),
    Action(
        "people.index",
        _("{actor} filled the indexes by which players are found: {filled} of {read}"),
        {"read": Kept.PUBLIC, "filled": Kept.PUBLIC, "unreadable": Kept.PUBLIC},
    ),
    Action("people.find_own", _("{actor} found that a member of staff is this player"), {"user": Kept.PUBLIC}),
    # Sign-in
    Action("people.sign_in", _("{actor} signed in"), {"factors": Kept.PUBLIC}),
    Action("people.fail_sign_in", _("A sign-in failed"), {"login": Kept.SEALED}),
    Action("people.sign_out", _("{actor} signed out"), {}),
    Action("people.change_password", _("{actor} changed the password"), {}),
    Action("people.reset_password", _("{actor} set a new password with a link"), {}),
    Action("people.change_factors", _("{actor} changed the second step at sign-in"), {"factor": Kept.PUBLIC}),
    # The operator
    Action(
        "people.create_licensee",
        _("{actor} added the licensee {object}"),
        {"slug": Kept.PUBLIC, "jurisdiction": Kept.PUBLIC, "time_zone": Kept.PUBLIC, "is_test": Kept.PUBLIC},
    ),
    Action(
        "people.create_brand",
        _("{actor} added the brand {object}"),
        {"slug": Kept.PUBLIC, "licensee": Kept.PUBLIC},
    ),
    # Players
    Action(
        "people.register_customer",
        _("{actor} registered {object}"),
        {
            "licensee": Kept.PUBLIC,
            "full_name": Kept.SEALED,
            "birth_date": Kept.SEALED,
            "nationality": Kept.SEALED,
            "address": Kept.SEALED,
            "national_id": Kept.OMIT,
        },
    ),
    Action(
        "people.open_account",
        _("{actor} opened {object}"),
        {
            "brand": Kept.PUBLIC,
            "reference": Kept.PUBLIC,
            "language": Kept.PUBLIC,
            "time_zone": Kept.PUBLIC,
            "email": Kept.OMIT,
            "phone": Kept.OMIT,
        },
    ),
    Action("people.change_contact", _("{actor} changed the contact of {object}: {fields}"), {"fields": Kept.PUBLIC}),
    Action(
        "people.correct",
        _("{actor} corrected what {object} declared"),
        {
            "declared": Kept.PUBLIC,
            "evidence": Kept.PUBLIC,
            "followed": Kept.PUBLIC,
            "proposal": Kept.PUBLIC,
            "maker": Kept.PUBLIC,
            # The old value and the new one, which only the player's key opens.
            "full_name": Kept.SEALED,
            "birth_date": Kept.SEALED,
            "nationality": Kept.SEALED,
        },
    ),
    Action(
        "people.import",
        _("{actor} took players in from a file"),
        dict.fromkeys(("rows", "opened", "verified", "refused"), Kept.PUBLIC),
    ),
    Action(
        "people.import_level",
        _("{object} came with the level {level}, reached before"),
        {"level": Kept.PUBLIC, "verified_on": Kept.PUBLIC},
    ),
    Action("people.reach_level", _("{object} reached the level {level}"), {"level": Kept.PUBLIC}),
    Action(
        "people.note_risk",
        _("{actor} noted a fact that bears on a player's risk"),
        {"code": Kept.SEALED, "source": Kept.SEALED, "details": Kept.SEALED},
    ),
    Action(
        "people.restrict",
        _("{actor} restricted {object}"),
        {"stops": Kept.PUBLIC, "cover_code": Kept.PUBLIC, "until": Kept.PUBLIC, "source": Kept.SEALED},
    ),
    Action(
        "people.carry_restriction",
        _("{actor} kept a restriction on a player who came back: {object}"),
        {"customer_id": Kept.PUBLIC, "account_id": Kept.PUBLIC},
    ),
    Action(
        "people.come_back",
        _("{actor} opened {object} for a player who was erased before"),
        {"former": Kept.PUBLIC, "restrictions": Kept.PUBLIC},
    ),
    Action(
        "people.lift_restriction",
        _("{actor} lifted a restriction: {stops}"),
        {
            "stops": Kept.PUBLIC,
            "cover_code": Kept.PUBLIC,
            "proposal": Kept.PUBLIC,
            "maker": Kept.PUBLIC,
        },
    ),
    Action(
        "people.learn_risk",
        _("{actor} noted a risk fact about {object}"),
        # Which fact it is stays sealed: facts of all sides look alike from outside.
        {"code": Kept.SEALED, "source": Kept.SEALED, "known_on": Kept.PUBLIC, "until": Kept.PUBLIC},
    ),
    Action("people.end_risk", _("{actor} ended a risk fact about {object}"), {"code": Kept.SEALED}),
    Action("people.reveal", _("{actor} looked at {field} of {object}"), {"field": Kept.PUBLIC}),
)
