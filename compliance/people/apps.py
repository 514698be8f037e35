from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PeopleConfig(AppConfig):
    name = "compliance.people"
    label = "people"

    def ready(self) -> None:
        import_module(f"{self.name}.actions")
        import_module(f"{self.name}.names")
        import_module(f"{self.name}.restrictions")
        import_module(f"{self.name}.sign_in")
        sync = import_module(f"{self.name}.staff").sync_after_migrate
        post_migrate.connect(sync, dispatch_uid="people.sync_roles")
