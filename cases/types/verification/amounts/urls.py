"""No pages of its own: the panel of the verification shows the amounts that were reached."""

urlpatterns: list[object] = []
