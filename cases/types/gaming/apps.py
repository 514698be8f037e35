from importlib import import_module

from django.apps import AppConfig


class GamingConfig(AppConfig):
    name = "cases.types.gaming"
    label = "gaming"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.kind")
        import_module(f"{self.name}.acts")
        import_module(f"{self.name}.orders")
        import_module(f"{self.name}.care")
        import_module(f"{self.name}.delays")
