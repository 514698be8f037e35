from importlib import import_module

from django.apps import AppConfig


class LookingConfig(AppConfig):
    name = "cases.looking"
    label = "looking"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.letters")
        import_module("audit.access").answer_with(428, import_module(f"{self.name}.needed").ReasonNeeded)
