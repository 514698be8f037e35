from django.apps import AppConfig


class ConflictsConfig(AppConfig):
    name = "compliance.people.conflicts"
    label = "conflicts"
