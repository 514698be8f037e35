from importlib import import_module

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    name = "cases.types.verification.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        for module in ("actions", "acts", "rail"):
            import_module(f"{self.name}.{module}")
