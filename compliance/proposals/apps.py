from importlib import import_module

from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "compliance.proposals"
    label = "proposals"

    def ready(self) -> None:
        import_module("compliance.proposals.actions")
