"""The pages of monitoring rules, under /aml/rules/. For everybody outside the AML side there are none: 404."""

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from audit.access import Rule as Access
from audit.access import rule as named
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.patterns import words
from cases.types.monitoring.rules import backtests, flags, services
from cases.types.monitoring.rules.forms import BackTestForm, ProposeForm, RuleForm, SnoozeForm
from cases.types.monitoring.rules.models import CHANGE, BackTest, Flag, Rule, Snooze, State
from compliance import formats
from compliance.people.models import User
from compliance.people.requests import signed_in
from compliance.proposals.queries import open_proposal

MOST_TESTS = 10


def _viewer(request: HttpRequest) -> User:
    services.require_viewer(request.user)
    return signed_in(request)


def _writer(request: HttpRequest) -> User:
    user = _viewer(request)
    if not user.has_perm(CHANGE):
        raise Denied("no_right", log="aml")
    return user


def _of_who_may(request: HttpRequest) -> bool:
    """Who may change rules confirms who they are when their sign-in is hours old; everybody else gets 404 at once."""
    return request.user.has_perm(CHANGE)


@named(Access.SIGNED_IN)
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule: what it looks for, how it stands, how often it was right."""
    user = _viewer(request)
    newest = list(Rule.objects.order_by("code", "-number").distinct("code"))
    running = {rule.code: rule for rule in Rule.objects.filter(state=State.LIVE)}
    rates = services.rates()
    services.record_look(newest, by=user)
    rows = [_listed(rule, running.get(rule.code), rates.get(rule.code, {})) for rule in newest]
    return render(request, "monitoring/rules.html", {"rows": rows, "may_change": user.has_perm(CHANGE)})


def _listed(rule: Rule, live: Rule | None, rate: dict[str, int]) -> dict[str, Any]:
    shown = live or rule
    closed = rate.get("closed", 0)
    false = formats.percent(rate.get("false", 0) / closed) if closed else ""
    return {"rule": rule, "shown": shown, "live": live, "said": words.rule_in_words(shown.definition)} | {
        "raised": rate.get("raised", 0),
        "shadow": rate.get("shadow", 0),
        "closed": closed,
        "false": false,
    }


@named(Access.SIGNED_IN)
@require_safe
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """A rule's newest version, those before it, its flags' fate, and its back-tests."""
    user = _viewer(request)
    return _page(request, user, services.newest_version(code))


def _page(request: HttpRequest, user: User, found: Rule, *, status: int = 200, **extra: Any) -> HttpResponse:
    services.record_look([found], by=user)
    versions = list(Rule.objects.filter(code=found.code).select_related("made_by").order_by("-number"))
    tests = BackTest.objects.filter(rule__code=found.code).select_related("rule", "licensee", "asked_by")
    context = {
        "rule": found,
        "said": words.rule_in_words(found.definition),
        "versions": versions,
        "scope": found.definition.get("jurisdictions") or [_("everywhere")],
        "segments": found.definition.get("segments") or [_("all players")],
        "rate": _listed(found, None, services.rates().get(found.code, {})),
        "tests": tests.order_by("-asked_at")[:MOST_TESTS],
        "may_change": user.has_perm(CHANGE),
        "proposal": open_proposal(found),
        "can_activate": found.state in (State.DRAFT, State.SHADOW),
        "propose_form": ProposeForm(),
        "test_form": BackTestForm(),
        "snoozes": Snooze.objects.filter(code=found.code, ended_at=None).select_related("made_by")[:50],
    }
    return render(request, "monitoring/rule.html", context | extra, status=status)


@named(Access.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """Write the next version. "Preview" says in words what it would look for and keeps nothing."""
    user = _writer(request)
    newest = services.newest_version(code)
    text = json.dumps(newest.definition, indent=2, ensure_ascii=False)
    initial = {"title": newest.title, "severity": newest.severity, "definition": text}
    form = RuleForm(request.POST or None, base=newest.definition, initial=initial)
    said = words.rule_in_words(newest.definition)
    valid = request.method == "POST" and form.is_valid()
    if valid:
        said = words.rule_in_words(form.cleaned_data["definition"])
        if "preview" not in request.POST and "preview" not in request.GET:
            try:
                facts = {name: form.cleaned_data[name] for name in ("title", "severity", "definition")}
                services.write(code, by=user, **facts)
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, _("Written as a draft. Try it on the past, then in the shadow."))
                return redirect("cases:monitoring-rule", code)
    status = 422 if form.errors else 200
    context = {"rule": newest, "form": form, "said": said}
    page = "monitoring/_words.html" if request.headers.get("HX-Request") else "monitoring/edit.html"
    return render(request, page, context, status=status)


@named(Access.SIGNED_IN, fresh=_of_who_may)
@require_POST
def shadow(request: HttpRequest, code: str, number: int) -> HttpResponse:
    user = _writer(request)
    return _moved(request, user, code, number, lambda found: services.put_in_shadow(found, by=user))


@named(Access.SIGNED_IN, fresh=_of_who_may)
@require_POST
def retire(request: HttpRequest, code: str, number: int) -> HttpResponse:
    user = _writer(request)
    return _moved(request, user, code, number, lambda found: services.retire(found, by=user))


@named(Access.SIGNED_IN, fresh=_of_who_may)
@require_POST
def propose(request: HttpRequest, code: str, number: int) -> HttpResponse:
    user, form = _writer(request), ProposeForm(request.POST)
    if not form.is_valid():
        return _page(request, user, _version(code, number), status=422, propose_form=form)
    return _moved(
        request, user, code, number, lambda found: services.propose_activation(found, by=user, **form.cleaned_data)
    )


def _version(code: str, number: int) -> Rule:
    return get_object_or_404(Rule, code=code, number=number)


def _moved(request: HttpRequest, user: User, code: str, number: int, act: Any) -> HttpResponse:
    found = _version(code, number)
    try:
        act(found)
    except ConditionsNotMet as unmet:
        return _page(request, user, found, status=422, unmet=unmet.reasons)
    except WrongState as wrong:
        return _page(request, user, found, status=409, unmet=[str(wrong)])
    return redirect("cases:monitoring-rule", code)


@named(Access.SIGNED_IN)
@require_POST
def backtest(request: HttpRequest, code: str, number: int) -> HttpResponse:
    user, form, found = _writer(request), BackTestForm(request.POST), _version(code, number)
    if form.is_valid():
        try:
            test = backtests.ask(found, by=user, **form.cleaned_data)
        except ValidationError as error:
            for field, wrong in error.message_dict.items():
                form.add_error(field, wrong)
        else:
            return redirect("cases:monitoring-backtest", test.pk)
    return _page(request, user, found, status=422, test_form=form)


@named(Access.SIGNED_IN)
@require_safe
def backtest_page(request: HttpRequest, test_id: UUID) -> HttpResponse:
    """How far it is, and what it found."""
    user = _viewer(request)
    test = get_object_or_404(BackTest.objects.select_related("rule", "licensee", "asked_by"), pk=test_id)
    services.record_look([test.rule], by=user)
    running = test.finished_at is None and test.cancelled_at is None
    page = "monitoring/_backtest.html" if request.headers.get("HX-Request") else "monitoring/backtest.html"
    found = test.findings
    days = list(found.get("by_day", {}).items())
    most = max((count for _day, count in days), default=0)
    bars = [{"day": day, "count": count, "share": 100 * count // most} for day, count in days]
    shown = {
        "test": test,
        "running": running,
        "found": found,
        "bars": bars,
        "said": words.rule_in_words(test.rule.definition),
        "precision": formats.percent(found["right"] / found["customers"]) if found.get("customers") else "",
    }
    return render(request, page, shown)


@named(Access.SIGNED_IN)
@require_POST
def cancel_backtest(request: HttpRequest, test_id: UUID) -> HttpResponse:
    user = _writer(request)
    backtests.cancel(get_object_or_404(BackTest.objects.select_related("rule"), pk=test_id), by=user)
    return redirect("cases:monitoring-backtest", test_id)


@named(Access.SIGNED_IN)
@require_http_methods(["GET", "POST"])
def snooze(request: HttpRequest, flag_id: UUID) -> HttpResponse:
    """Let the rule of a flag say nothing about its player for a time."""
    user = _writer(request)
    flag = Flag.objects.select_related("customer", "rule", "licensee").filter(pk=flag_id).first()
    if flag is None:
        raise Http404("no such flag")
    form = SnoozeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        until = flag.licensee.day_starts(form.cleaned_data["until"])
        try:
            flags.snooze(flag.customer, flag.code, by=user, until=until, reason="known", note=form.cleaned_data["note"])
        except ValidationError as error:
            for field, wrong in error.message_dict.items():
                form.add_error(field, wrong)
        else:
            messages.success(request, _("The rule says nothing about this player until then."))
            return redirect("cases:monitoring-rule", flag.code)
    return render(request, "monitoring/snooze.html", {"flag": flag, "form": form}, status=422 if form.errors else 200)


@named(Access.SIGNED_IN)
@require_POST
def wake(request: HttpRequest, snooze_id: UUID) -> HttpResponse:
    user = _writer(request)
    row = get_object_or_404(Snooze.objects.select_related("customer"), pk=snooze_id)
    flags.end_snoozes(row.customer, row.code, by=user)
    return redirect("cases:monitoring-rule", row.code)
