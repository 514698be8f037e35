"""The pages of monitoring rules. The engine includes them under its own name, `cases`."""

from django.urls import path

from cases.types.monitoring.rules import views

urlpatterns = [
    path("aml/rules/", views.rules, name="monitoring-rules"),
    path("aml/rules/<slug:code>/", views.rule, name="monitoring-rule"),
    path("aml/rules/<slug:code>/edit/", views.edit, name="monitoring-rule-edit"),
    path("aml/rules/<slug:code>/<int:number>/shadow/", views.shadow, name="monitoring-rule-shadow"),
    path("aml/rules/<slug:code>/<int:number>/propose/", views.propose, name="monitoring-rule-propose"),
    path("aml/rules/<slug:code>/<int:number>/retire/", views.retire, name="monitoring-rule-retire"),
    path("aml/rules/<slug:code>/<int:number>/backtest/", views.backtest, name="monitoring-rule-backtest"),
    path("aml/backtests/<uuid:test_id>/", views.backtest_page, name="monitoring-backtest"),
    path("aml/backtests/<uuid:test_id>/cancel/", views.cancel_backtest, name="monitoring-backtest-cancel"),
    path("aml/flags/<uuid:flag_id>/snooze/", views.snooze, name="monitoring-snooze"),
    path("aml/snoozes/<uuid:snooze_id>/wake/", views.wake, name="monitoring-wake"),
]
