from importlib import import_module

from django.apps import AppConfig


class TransactionsConfig(AppConfig):
    name = "cases.types.monitoring.transactions"
    label = "transactions"

    def ready(self) -> None:
        for module in ("actions", "telling"):
            import_module(f"{self.name}.{module}")
