from importlib import import_module

from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "cases.mail"
    label = "mail"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.calling")
        import_module(f"{self.name}.files")
        import_module(f"{self.name}.said")
        import_module(f"{self.name}.outgoing")
