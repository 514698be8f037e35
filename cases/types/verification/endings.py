"""How a verification can end or go on by a person's decision, in words: titles, reasons, consequences, scripts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import texts

if TYPE_CHECKING:
    from cases.types.verification.models import Verification

Words = str | Promise

# Endings that protect somebody: one person stops the account at once, two close.
PROTECTIVE = {"close_underage": "underage", "close_deceased": "deceased", "close_impersonated": "impersonated"}
TITLES: dict[str, Words] = {
    "approve": _("Approve the verification"),
    "reject": _("Refuse the verification"),
    "reopen": _("Reopen the verification"),
    "withdraw": _("Close: the player withdraws"),
    "close_underage": _("Close: the player is under age"),
    "close_deceased": _("Close: the player has died"),
    "close_impersonated": _("Close: the identity is stolen"),
    "lift": _("Let the account go on"),
    "confirm_checks": _("Confirm by hand what no system answers"),
}
# What may become of the money, by how the case ended. `hold`: an authority or a court decides.
FUNDS: dict[str, tuple[str, ...]] = {
    "underage": ("return_deposits", "hold", "nothing_left"),
    "deceased": ("to_estate", "hold", "nothing_left"),
    "impersonated": ("return_to_source", "to_owner", "hold", "nothing_left"),
    "withdrawn": ("pay_out", "hold", "nothing_left"),
    "lapsed": ("return_to_source", "hold", "nothing_left"),
}
FUNDS_WORDS: dict[str, Words] = {
    "return_deposits": _("Return what was paid in; winnings are not paid"),
    "return_to_source": _("Return to where it came from"),
    "to_owner": _("Pay to the person whose identity or money it was"),
    "to_estate": _("Pay to the estate"),
    "pay_out": _("Pay out to the player"),
    "hold": _("Keep until an authority or a court decides"),
    "nothing_left": _("There is nothing left"),
}
FUNDS_BECAUSE: dict[str, Words] = {
    "rule": _("The rule for this ending"),
    "authority": _("An authority or a court decided"),
    "agreed": _("Agreed with whoever is entitled"),
}
REASONS: dict[str, list[tuple[str, Words]]] = {
    "approve": [("all_checks_met", _("Every check is met"))],
    "reopen": [
        ("objection", _("The player objected")),
        ("new_evidence", _("New evidence")),
        ("our_error", _("Our error")),
    ],
    "withdraw": [
        ("player_asked", _("The player asked to stop")),
        ("account_closed", _("The player closes the account")),
    ],
    "close_underage": [
        ("declared_age", _("The date of birth that the player gave")),
        ("document_shows_age", _("A document shows the age")),
        ("told_by_guardian", _("A parent or guardian told us")),
        ("register_shows_age", _("A register shows the age")),
    ],
    "close_deceased": [
        ("death_certificate", _("There is a death certificate")),
        ("told_by_family", _("The family told us")),
        ("register_shows_death", _("A register shows it")),
    ],
    "close_impersonated": [
        ("owner_complained", _("The person whose identity it is told us")),
        ("person_differs", _("The person on the photo is somebody else")),
        ("admitted", _("The player admitted it")),
    ],
    "confirm_checks": [
        ("seen_in_source", _("I looked it up at the source myself")),
        ("written_proof", _("There is a written proof in the files")),
    ],
    "lift": [
        ("mistaken", _("It was a mistake")),
        ("cause_gone", _("What led to it was looked into and is settled")),
    ],
}
CONSEQUENCES: dict[str, Words] = {
    "approve": _("The player reaches the level asked for and gets a message."),
    "reject": _("The case ends. The player gets one neutral message and may object."),
    "reopen": _("The case goes back to review."),
    "withdraw": _(
        "The case ends and the player gets a message. Deposits and play stop until a verification is approved;"
        " withdrawals stay open."
    ),
    "close_underage": _("The case ends and the player reads the text below. Their money needs a decision of its own."),
    "close_deceased": _(
        "The case ends. Nobody is written to: whoever told us gets the text below."
        " The balance needs a decision of its own."
    ),
    "close_impersonated": _(
        "The case ends. Whoever used the account reads only the neutral refusal; the person whose identity it is gets"
        " the text below. The balance needs a decision of its own."
    ),
    "confirm_checks": _(
        "Counts as confirmed: what the law asks for before any service, and nobody is set up to answer here."
    ),
    "lift": _("The account may be used again as far as its level allows."),
}
# What the account's own mailbox receives; None where nobody should read anything there.
LETTERS = {"underage": "closed_underage", "deceased": None, "impersonated": "rejected"}


def reasons(act: str) -> Sequence[tuple[str, Words]]:
    """Codes and words of the reasons that a decision may have."""
    if act == "reject":
        return [(reason.code, str(reason.title)) for reason in texts.reasons(kind="final")]
    return REASONS[act]


def reason_text(code: str) -> Words:
    known = {code: words for act in TITLES for code, words in reasons(act)}
    return known.get(code, code)


def script(case: "Verification", act: str) -> texts.Text | None:
    """What whoever asks is told after a protective ending, in the account's language."""
    if act not in PROTECTIVE:
        return None
    return texts.message(f"closed_{PROTECTIVE[act]}", case.account.language, number=case.number)


def script_of(case: "Verification") -> texts.Text | None:
    """The same for a case that ended so."""
    return script(case, f"close_{case.outcome}")
