"""Every table has a retention decision, so that a new one cannot slip past the policy."""

from django.apps import apps

from documents.retention import DECISIONS


def test_every_model_has_a_retention_decision():
    tables = {model._meta.label for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}
    assert tables - set(DECISIONS) == set(), "say in documents/retention.py how long these rows are kept and why"
    assert set(DECISIONS) - tables == set(), "documents/retention.py names tables that do not exist"


def test_every_decision_says_why():
    assert [label for label, decision in DECISIONS.items() if not decision.why] == []
