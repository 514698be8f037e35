"""What an accepted identity document says of its country: who issued it counts for the player's risk."""

from audit.actors import system
from cases.models import Evidence
from cases.types.verification.risk.services import SOURCE
from compliance.people.risk import learn_country
from compliance.policy.country_ways import of_the_zone
from documents.services import reading_of

PURPOSES = ("identity_front", "identity_back")  # where a zone may stand


def learn_issuer(evidence: Evidence) -> None:
    """Keep the issuer that its zone names, if a list names that country; the others say nothing of risk.

    What was learned stays when the verdict is taken back: an officer ends a fact that does not hold.
    """
    if evidence.purpose not in PURPOSES or evidence.state != Evidence.State.ACCEPTED:
        return
    country = of_the_zone(reading_of(evidence.document).get("issuer", ""))
    if country:
        case = evidence.case
        today = case.licensee.today()
        learn_country(
            case.customer, "document", country, source=SOURCE, known_on=today, by=system(), matter=case.number
        )
