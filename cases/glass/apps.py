from importlib import import_module

from django.apps import AppConfig


class GlassConfig(AppConfig):
    name = "cases.glass"
    label = "glass"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.letters")
