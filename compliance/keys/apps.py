from importlib import import_module

from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "compliance.keys"
    label = "keys"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
