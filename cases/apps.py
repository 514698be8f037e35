from importlib import import_module

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
    label = "cases"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.happenings")
        import_module(f"{self.name}.leaving")
        import_module(f"{self.name}.names")
        import_module(f"{self.name}.protection")
        import_module(f"{self.name}.queues")
        import_module(f"{self.name}.reading.telling")
        import_module(f"{self.name}.rectifying")
        import_module(f"{self.name}.same")
        import_module(f"{self.name}.snooze")
        import_module(f"{self.name}.urgency")
