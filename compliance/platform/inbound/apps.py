from importlib import import_module

from django.apps import AppConfig


class InboundConfig(AppConfig):
    name = "compliance.platform.inbound"
    label = "inbound"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.services")
