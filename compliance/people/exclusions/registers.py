"""Where the law names a national register, nobody deposits or plays before it was asked.

Who asks, and what is done with the answer, stands above (cases.types.gaming.registers); here is only the closed door.
"""

from django.conf import settings

from audit.actors import Acts
from compliance.people.models import Customer, Restriction
from compliance.people.restrictions import restrict
from compliance.policy import policy_for

SOURCE, CODE = "register", "routine_check"
STOPS = ("deposit", "play")


def close_until_asked(customer: Customer, *, by: Acts) -> Restriction | None:
    """For a player of whom no register of their licensee's law was ever asked; in the transaction that opens the
    account.
    """
    licensee = customer.licensee
    rules = policy_for(licensee.jurisdiction, on=licensee.today()).exclusions
    if not settings.REGISTERS_COUNT or not rules.known("registers"):
        return None
    if Restriction.objects.filter(customer=customer, source=SOURCE, lifted_at=None).exists():
        return None
    return restrict(customer, stops=STOPS, cover_code=CODE, source=SOURCE, by=by)
