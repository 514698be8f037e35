"""The one door for every change of state: lock, check, move, save, record, in one transaction."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin

from audit.actors import Acts
from audit.record import record, record_refusal


class Denied(PermissionDenied):
    """Not this person, not this act. `code` is what the log keeps, the text is what the person reads.

    `log` is where a refusal that nobody recorded yet belongs.
    """

    def __init__(self, code: str, text: Any = None, *, log: str = "main") -> None:
        super().__init__(str(text or _("You do not have the right to do this.")))
        self.code, self.log = code, log


class StaleVersion(Exception):
    """Somebody changed the record after this view of it was made. `fresh` is the record as it is now."""

    def __init__(self, fresh: models.Model) -> None:
        super().__init__(str(_("Somebody changed this record while you were working on it.")))
        self.fresh = fresh


class WrongState(Exception):
    """The machine has no such move from where the record is now."""


class ConditionsNotMet(Exception):
    """The move exists and the person may make it, but something is missing. `reasons` are for people."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class StateMovesOnlyThroughPerform(TypeError):
    """Writing `state` in bulk would pass by the machine, its permissions and the log. Call audit.perform.perform."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


M = TypeVar("M", bound=models.Model)


class StatefulQuerySet(models.QuerySet[M]):
    """What every manager of a machine is made from: many rows at once may change anything but their state."""

    def update(self, **fields: Any) -> int:
        if "state" in fields:
            raise StateMovesOnlyThroughPerform
        return super().update(**fields)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], *args: Any, **options: Any) -> int:
        fields = list(fields)
        if "state" in fields:
            raise StateMovesOnlyThroughPerform
        return super().bulk_update(objs, fields, *args, **options)

    def bulk_create(self, objs: Iterable[M], *args: Any, **options: Any) -> list[M]:
        """New rows stand at the start of their machine, and rows that are there already keep their state."""
        objs = list(objs)
        start = cast("models.Field[Any, Any]", self.model._meta.get_field("state")).get_default()
        if any(obj.state != start for obj in objs) or "state" in (options.get("update_fields") or ()):  # type: ignore[attr-defined]
            raise StateMovesOnlyThroughPerform
        return super().bulk_create(objs, *args, **options)


class StateField(FSMField):
    """The state of a machine. To a migration it is the column alone: a model of the past has no moves to look for.

    With the machine's own field each of the thousands of models that `migrate` renders listens to all others.
    """

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, _path, args, options = super().deconstruct()
        options.pop("protected", None)
        return name, "django.db.models.CharField", args, options


class Stateful(FSMModelMixin, models.Model):
    """A model whose `state` only `perform` moves. `audit_prefix` starts the names of its actions.

    A manager of its own comes from StatefulQuerySet, and `base_manager_name` names it.
    """

    audit_prefix: ClassVar[str]
    version = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar = StatefulQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def clean_fields(self, exclude: Any = None) -> None:
        # Validation assigns every field, which the protected state refuses.
        super().clean_fields(exclude={*(exclude or ()), "state"})

    def unmet(self, transition: str) -> list[str]:
        """Why the move named cannot be made yet, in words; empty when nothing is missing. Kinds override it."""
        return []


def perform(
    transition: Callable[..., Any],
    *,
    by: Acts,
    version: int | None = None,
    reason: str | None = None,
    note: str | None = None,
    details: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> Any:
    """Make one move of a state machine and record it; return the fresh object.

    `transition` is the bound method of any copy of the object. `version`, when given, must be the current one.
    `reason` is a code, `note` free text (sealed). `inputs` go to the method; it gets those of `by`, `reason`, `note`
    that it names. Raises StaleVersion, WrongState, ConditionsNotMet, or Denied, which is recorded even if the request
    rolls back.
    """
    copy = cast(Stateful, transition.__self__)  # type: ignore[attr-defined]
    name = transition.__name__
    with transaction.atomic():
        fresh = _locked(copy)
        if version is not None and version != fresh.version:
            raise StaleVersion(fresh)
        move = getattr(fresh, name)
        _check(fresh, move, name, by)
        before = _values(fresh)
        move(**_accepted(move, {"by": by, "reason": reason, "note": note} | inputs))
        fresh.version += 1
        fresh.save()
        after = _values(fresh)
        changes = {field: (before[field], value) for field, value in after.items() if before[field] != value}
        changes.pop("version", None)
        record(
            f"{fresh.audit_prefix}.{name}",
            by=by,
            about=fresh,
            reason=reason,
            note=note,
            changes=changes,
            details=details,
        )
    return fresh


def _locked(copy: Stateful) -> Stateful:
    # Through the class's own default manager: a proxy gets its own rows, and nobody hands us a stale object.
    manager = type(copy)._default_manager
    return manager.select_for_update(of=("self",)).get(pk=copy.pk)


def _check(fresh: Stateful, move: Callable[..., Any], name: str, by: Acts) -> None:
    machine = move._django_fsm  # type: ignore[attr-defined]
    state = machine.field.get_state(fresh)
    # Not django_fsm.has_transition_perm: it also says no where the state or a condition is what stands in the way.
    if by.is_active and not machine.has_transition(state):
        raise WrongState(str(_("This is not possible in the present state.")))
    if not by.is_active or not machine.has_transition_perm(fresh, state, by):
        denied = Denied("no_right")
        record_refusal(f"{fresh.audit_prefix}.{name}", by=by, about=fresh, reason=denied.code)
        raise denied
    if reasons := fresh.unmet(name):
        raise ConditionsNotMet(reasons)
    if not machine.conditions_met(fresh, state):
        raise ConditionsNotMet([str(_("Something is still missing."))])


def _accepted(move: Callable[..., Any], offered: dict[str, Any]) -> dict[str, Any]:
    takes = inspect.signature(move).parameters
    return {key: value for key, value in offered.items() if key in takes or key not in ("by", "reason", "note")}


def _values(obj: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(obj, field.attname) for field in obj._meta.concrete_fields}
