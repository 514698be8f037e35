from django.apps import AppConfig


class VerificationConfig(AppConfig):
    name = "cases.types.verification"
    label = "verification"
