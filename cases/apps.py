from django.apps import AppConfig
from django.utils.module_loading import import_module


class CasesConfig(AppConfig):
    name = "cases"
    label = "cases"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.messages")
