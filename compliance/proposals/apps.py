from importlib import import_module

from django.apps import AppConfig


class ProposalsConfig(AppConfig):
    name = "compliance.proposals"
    label = "proposals"

    def ready(self) -> None:
        for name in ("actions", "names", "exports", "leaving"):
            import_module(f"compliance.proposals.{name}")
