from importlib import import_module

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "cases.notices"
    label = "notices"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.digest")
        import_module(f"{self.name}.hearing")
