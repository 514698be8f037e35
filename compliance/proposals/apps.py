from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "compliance.proposals"
    label = "proposals"
