from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    label = "cases"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.messages")
        import_module(f"{self.name}.names")
        import_module(f"{self.name}.protection")
