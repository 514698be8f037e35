from importlib import import_module

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "compliance.platform.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.letters")
        import_module(f"{self.name}.names")
        import_module(f"{self.name}.sources")
