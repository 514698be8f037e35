from django.apps import AppConfig
from django.core import checks

from compliance.policy import country_ways, help_organisations, marker_rules
from compliance.policy.book import book
from compliance.policy.errors import PolicyBroken


class PolicyConfig(AppConfig):
    name = "compliance.policy"
    label = "policy"

    def ready(self) -> None:
        checks.register(check_policies)


def check_policies(app_configs: object = None, **kwargs: object) -> list[checks.CheckMessage]:
    """policy.E001 for each problem: nothing starts on a policy that it does not understand."""
    try:
        book()
        marker_rules.check()
        help_organisations.countries()
        country_ways.versions()
    except PolicyBroken as broken:
        return [checks.Error(problem, id="policy.E001") for problem in broken.problems]
    return []
