"""Transactions have no pages of their own: investigations show them, rules read them."""

urlpatterns: list[object] = []
