"""What commands are told by name: the row, or exit 2 with the name and what there is."""

from uuid import UUID

from django.core.management import CommandError

from compliance.people.models import Customer, Licensee


def licensee_of(slug: str) -> Licensee:
    found: Licensee | None = Licensee.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Licensee.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"licensee: there is no licensee {slug}. Known: {known}.", returncode=2)
    return found


def customer_of(text: str) -> Customer:
    try:
        return Customer.objects.get(pk=UUID(text))
    except (ValueError, Customer.DoesNotExist):
        raise CommandError(f"There is no customer {text}.", returncode=2) from None
