from importlib import import_module

from django.apps import AppConfig


class ExclusionsConfig(AppConfig):
    name = "compliance.people.exclusions"
    label = "exclusions"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        refuse = import_module(f"{self.name}.ledger").refuse_if_unreconciled
        import_module("compliance.keys.guard").ask_too(refuse)
