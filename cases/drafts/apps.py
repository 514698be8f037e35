from django.apps import AppConfig


class DraftsConfig(AppConfig):
    name = "cases.drafts"
    label = "drafts"
