"""What rules and their values are called on pages, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from compliance import formats
from compliance.policy.limits import Ceiling, RaiseStep
from compliance.policy.records import Period, Provenance, Rule, Threshold
from compliance.policy.schema import EvidenceRule, OnePerson, TwoPersons

SECTIONS: Mapping[str, Promise] = {
    "age": gettext_lazy("Age"),
    "verification": gettext_lazy("Verification"),
    "evidence": gettext_lazy("Evidence"),
    "thresholds": gettext_lazy("Thresholds"),
    "enhanced": gettext_lazy("Enhanced due diligence"),
    "review": gettext_lazy("Periodic review"),
    "quality": gettext_lazy("Quality"),
    "exclusions": gettext_lazy("Time-outs and self-exclusions"),
    "limits": gettext_lazy("Limits"),
    "retention": gettext_lazy("Retention"),
    "four_eyes": gettext_lazy("Who decides"),
}

TITLES: Mapping[str, Promise] = {
    "age.minimum": gettext_lazy("Lowest age, in years"),
    "verification.play_needs": gettext_lazy("Level before play"),
    "verification.before_service": gettext_lazy("Checks before any service"),
    "verification.instead.identity_front": gettext_lazy("In place of the front of the identity document"),
    "verification.instead.identity_back": gettext_lazy("In place of the back of the identity document"),
    "verification.instead.selfie": gettext_lazy("In place of a selfie"),
    "verification.instead.address": gettext_lazy("In place of a proof of address"),
    "verification.instead.funds": gettext_lazy("In place of a proof of income"),
    "verification.instead.wealth": gettext_lazy("In place of a proof of wealth"),
    "verification.instead.payment_ownership": gettext_lazy("In place of a proof of the payment method"),
    "verification.review_hours": gettext_lazy("Somebody looks within, in hours"),
    "verification.answer_days": gettext_lazy("Time for the player to answer, in days"),
    "verification.when_unanswered": gettext_lazy("When nothing comes"),
    "verification.stops.lapsed": gettext_lazy("Stops when it lapses"),
    "verification.stops.withdrawn": gettext_lazy("Stops when the player withdraws"),
    "verification.stops.underage": gettext_lazy("Stops when the player is under age"),
    "verification.stops.deceased": gettext_lazy("Stops when the player has died"),
    "verification.stops.impersonated": gettext_lazy("Stops when the identity was stolen"),
    "verification.objection_days": gettext_lazy("Time to object to a decision, in days"),
    "verification.complete_within": gettext_lazy("Due diligence complete after the threshold, within"),
    "verification.when_late": gettext_lazy("When that time passes"),
    "verification.no_withdrawal_trap": gettext_lazy("A withdrawal asks for nothing that could be asked earlier"),
    "verification.told_before_deposit": gettext_lazy("The player is told before the first deposit"),
    "verification.no_simplified": gettext_lazy("No simplified measures for"),
    "thresholds.transaction": gettext_lazy("Due diligence from a transaction of"),
    "thresholds.transfer": gettext_lazy("Due diligence from a transfer of"),
    "thresholds.financial_vulnerability": gettext_lazy("Check of financial vulnerability from"),
    "thresholds.deposits": gettext_lazy("Due diligence from deposits of"),
    "thresholds.level": gettext_lazy("Level that an amount asks for"),
    "thresholds.linked_within": gettext_lazy("Transactions are linked within"),
    "enhanced.triggers": gettext_lazy("Called for by law"),
    "enhanced.further_triggers": gettext_lazy("Called for by the operator"),
    "enhanced.measures": gettext_lazy("Made of"),
    "enhanced.after_office": gettext_lazy("Goes on after the office, at least"),
    "enhanced.family_and_associates": gettext_lazy("For family and close associates too"),
    "review.months.low": gettext_lazy("Low risk: looked at again after, in months"),
    "review.months.medium": gettext_lazy("Medium risk: looked at again after, in months"),
    "review.months.high": gettext_lazy("High risk: looked at again after, in months"),
    "review.on_new_fact": gettext_lazy("When a new fact becomes known"),
    "quality.second_look_percent": gettext_lazy("Closed cases looked at again, in a hundred"),
    "exclusions.time_outs": gettext_lazy("Time-outs offered"),
    "exclusions.time_out_longest": gettext_lazy("Longest time-out"),
    "exclusions.terms": gettext_lazy("Self-exclusions offered"),
    "exclusions.least": gettext_lazy("Shortest self-exclusion"),
    "exclusions.least_third_party": gettext_lazy("Shortest when somebody else asked"),
    "exclusions.longest_first": gettext_lazy("Longest self-exclusion at first"),
    "exclusions.extend_least": gettext_lazy("Lengthened by at least"),
    "exclusions.open_ended": gettext_lazy("Self-exclusion without an end"),
    "exclusions.open_least": gettext_lazy("Without an end: return asked for after, at the earliest"),
    "exclusions.ends": gettext_lazy("At the end of a self-exclusion"),
    "exclusions.persists": gettext_lazy("Goes on when nobody asks, for"),
    "exclusions.early_return": gettext_lazy("Return before the end"),
    "exclusions.leave_after": gettext_lazy("A longer one may be left after"),
    "exclusions.return_channels": gettext_lazy("Return is asked for by"),
    "exclusions.decision_within": gettext_lazy("Return decided within"),
    "exclusions.reflection": gettext_lazy("Time to reflect before a return"),
    "exclusions.reflection_open": gettext_lazy("Time to reflect, without an end"),
    "exclusions.reflection_third_party": gettext_lazy("Time to reflect when somebody else had asked"),
    "exclusions.confirm_from": gettext_lazy("Return confirmed not before"),
    "exclusions.confirm_until": gettext_lazy("Return confirmed not after"),
    "exclusions.stops": gettext_lazy("Stops during an exclusion"),
    "exclusions.ended_now": gettext_lazy("The platform ends at once"),
    "exclusions.withdrawals": gettext_lazy("Withdrawals stay possible"),
    "exclusions.confirm_within": gettext_lazy("The platform confirms within"),
    "exclusions.marketing_stop": gettext_lazy("Off every marketing list within"),
    "exclusions.marketing_after": gettext_lazy("Marketing after the end"),
    "exclusions.scopes": gettext_lazy("How far an exclusion may reach"),
    "exclusions.registers": gettext_lazy("National registers asked"),
    "exclusions.register_age": gettext_lazy("A register's answer holds for"),
    "limits.measures": gettext_lazy("What players may limit"),
    "limits.spans": gettext_lazy("Over"),
    "limits.windows.deposit": gettext_lazy("Deposits are counted over windows"),
    "limits.windows.loss": gettext_lazy("Losses are counted over windows"),
    "limits.windows.wager": gettext_lazy("Stakes are counted over windows"),
    "limits.windows.session": gettext_lazy("Time of play is counted over windows"),
    "limits.deposit_basis": gettext_lazy("Deposits are counted"),
    "limits.mandatory": gettext_lazy("No play without a limit of"),
    "limits.caps": gettext_lazy("Nobody passes"),
    "limits.defaults": gettext_lazy("Holds until the player raised it"),
    "limits.contact_over": gettext_lazy("The player is contacted above"),
    "limits.raise_wait": gettext_lazy("A raise waits"),
    "limits.raise_after_span": gettext_lazy("A raise waits for the end of the running span"),
    "limits.raise_steps": gettext_lazy("A raise asks, step by step"),
    "limits.confirm_within": gettext_lazy("The player confirms a raise within"),
    "limits.reservation": gettext_lazy("A check holds room for"),
    "retention.identity_documents": gettext_lazy("Identity papers kept for"),
    "retention.transactions": gettext_lazy("Transactions kept for"),
    "retention.books": gettext_lazy("Books kept for"),
    "retention.erasure_log": gettext_lazy("Records of erasures kept for"),
    "retention.destruction_interval": gettext_lazy("Between two runs of destruction, at most"),
    "retention.log": gettext_lazy("Log kept for"),
    "retention.backups": gettext_lazy("Oldest backup"),
}
PURPOSES: Mapping[str, Promise] = {
    "identity_front": gettext_lazy("Identity document, front"),
    "identity_back": gettext_lazy("Identity document, back"),
    "selfie": gettext_lazy("Selfie with the identity document"),
    "address": gettext_lazy("Proof of address"),
    "funds": gettext_lazy("Proof of income"),
    "wealth": gettext_lazy("Proof of wealth"),
    "payment_ownership": gettext_lazy("Proof of the payment method"),
}
AGES: Mapping[str, Promise] = {
    "max_age_days": gettext_lazy("{evidence}: at most so many days old"),
    "good_for_days": gettext_lazy("{evidence}: asked for anew after so many days"),
}
WORDS: Mapping[str, Promise] = {
    "lapse": gettext_lazy("the case lapses"),
    "end": gettext_lazy("the case ends, deposits and play stop"),
    "decide_on_balance": gettext_lazy("two persons decide on the balance"),
    "at_once": gettext_lazy("at once"),
    "sign_in": gettext_lazy("signing in"),
    "deposit": gettext_lazy("deposits"),
    "play": gettext_lazy("play"),
    "withdraw": gettext_lazy("withdrawals"),
    "marketing": gettext_lazy("marketing"),
    "by_itself": gettext_lazy("it ends by itself"),
    "on_request": gettext_lazy("it goes on until the player asks"),
    "by_register": gettext_lazy("the register decides"),
    "opt_in": gettext_lazy("none until the player asks for it"),
    "never": gettext_lazy("none"),
    "phone": gettext_lazy("phone"),
    "in_person": gettext_lazy("in person"),
    "written": gettext_lazy("in writing"),
    "online": gettext_lazy("online"),
    "sessions": gettext_lazy("running sessions"),
    "scheduled_deposits": gettext_lazy("scheduled deposits"),
    "bonuses": gettext_lazy("bonuses"),
    "open_bets": gettext_lazy("open bets"),
    "group": gettext_lazy("every brand of the group"),
    "licensee": gettext_lazy("every brand of the licensee"),
    "population_register": gettext_lazy("population register"),
    "occupation": gettext_lazy("occupation"),
    "bank_contract": gettext_lazy("contract with a bank"),
    "verification_transfer": gettext_lazy("transfer from an account of one's own"),
    "idv": gettext_lazy("identity check by a vendor"),
    "foreign_pep": gettext_lazy("foreign politically exposed persons"),
    "risky_transaction": gettext_lazy("risky transactions"),
    "pep": gettext_lazy("politically exposed person"),
    "close_to_pep": gettext_lazy("family member or close associate of one"),
    "possible_sanctions_match": gettext_lazy("possible match with a sanctions list"),
    "high_risk_country": gettext_lazy("country of high risk"),
    "call_for_action_country": gettext_lazy("country on the call-for-action list"),
    "amount_above_tier": gettext_lazy("deposits or losses above a tier"),
    "funds_do_not_match": gettext_lazy("funds do not match the proofs"),
    "unusually_complex": gettext_lazy("unusually complex transaction"),
    "unusually_large": gettext_lazy("unusually large transaction"),
    "vip": gettext_lazy("admission as a VIP"),
    "adverse_media": gettext_lazy("adverse media"),
    "law_enforcement_request": gettext_lazy("request of an authority"),
    "third_party_payment": gettext_lazy("payment by somebody else"),
    "anonymous_payment": gettext_lazy("anonymous means of payment"),
    "dormant_reactivated": gettext_lazy("high amounts after a long rest"),
    "senior_management_approval": gettext_lazy("approval of senior management"),
    "source_of_funds": gettext_lazy("source of funds"),
    "source_of_wealth": gettext_lazy("source of wealth"),
    "closer_monitoring": gettext_lazy("closer monitoring"),
    "national_id": gettext_lazy("identity card"),
    "passport": gettext_lazy("passport"),
    "driving_licence": gettext_lazy("driving licence"),
    "residence_permit": gettext_lazy("residence permit"),
    "selfie_photo": gettext_lazy("photo of the player holding the identity document"),
    "utility_bill": gettext_lazy("utility bill"),
    "bank_statement": gettext_lazy("bank statement"),
    "government_letter": gettext_lazy("letter of a public authority"),
    "residence_certificate": gettext_lazy("residence certificate"),
    "masked_card_photo": gettext_lazy("photo of the masked card"),
    "ewallet_statement": gettext_lazy("e-wallet statement"),
    "payslip": gettext_lazy("payslip"),
    "tax_return": gettext_lazy("tax return"),
    "pension_statement": gettext_lazy("pension statement"),
    "sale_contract": gettext_lazy("contract of sale"),
    "inheritance_document": gettext_lazy("inheritance document"),
    "dividend_statement": gettext_lazy("dividend statement"),
    "winnings_statement": gettext_lazy("statement of winnings"),
    "loss": gettext_lazy("losses"),
    "wager": gettext_lazy("stakes"),
    "session": gettext_lazy("time of play"),
    "day": gettext_lazy("day"),
    "week": gettext_lazy("week"),
    "month": gettext_lazy("month"),
    "fixed": gettext_lazy("from the moment the limit was set"),
    "rolling": gettext_lazy("ending now"),
    "calendar": gettext_lazy("of the calendar"),
    "gross": gettext_lazy("without taking off withdrawals"),
    "net": gettext_lazy("less withdrawals"),
    "test": gettext_lazy("a test on risks"),
    "history_review": gettext_lazy("a review of the player's history"),
}
ADDED_UP: Mapping[str, Promise] = {
    "single_or_linked": gettext_lazy("one transaction or several linked ones"),
    "net_deposits": gettext_lazy("deposits less withdrawals"),
    "deposits": gettext_lazy("deposits"),
}
MODALITIES: Mapping[str, Promise] = {
    "must": gettext_lazy("Duty"),
    "should": gettext_lazy("Code of practice"),
    "may": gettext_lazy("Option of the law"),
    "operator_default": gettext_lazy("Operator's choice"),
}
CONFIDENCES: Mapping[str, Promise] = {
    "P": gettext_lazy("read in the text itself"),
    "S": gettext_lazy("read on a secondary page"),
    "GK": gettext_lazy("common knowledge of the field"),
    "INF": gettext_lazy("inferred"),
}


def title(key: str) -> str:
    """What a key of `changes.changeable`, or a path of a policy's rules, is called."""
    if key in TITLES:
        return str(TITLES[key])
    kind, _dot, rest = key.partition(".")
    purpose, _dot, age = rest.rpartition(".")
    if kind == "evidence" and age in AGES:
        return str(AGES[age]).format(evidence=PURPOSES[purpose])
    return key


def said(rule: Provenance) -> str:
    """The whole rule in words."""
    if isinstance(rule, EvidenceRule):
        return _evidence_words(rule)
    if isinstance(rule, TwoPersons | OnePerson):
        return str(rule.text)
    return words_of(rule.value) if isinstance(rule, Rule) else ""


def value_words(raw: Any) -> str:
    """One value in words; `raw` may be as it lies in a set (JSON)."""
    if isinstance(raw, dict):
        raw = Period(**raw) if "unit" in raw else Threshold(**raw)
    return words_of(raw)


def words_of(value: Any) -> str:
    match value:
        case bool():
            return _("Yes") if value else _("No")
        case int():
            return formats.number(value)
        case Period():
            return _period_words(value)
        case Threshold():
            return _threshold_words(value)
        case Ceiling():
            return _ceiling_words(value)
        case RaiseStep():
            return _step_words(value)
        case tuple():
            return formats.listed([words_of(each) for each in value])
    return str(WORDS.get(value, value))


def _period_words(period: Period) -> str:
    if period.unit == "working_day":
        return ngettext("%(n)s working day", "%(n)s working days", period.amount) % {"n": formats.number(period.amount)}
    return formats.duration(period.amount, period.unit.removeprefix("calendar_"))


def _threshold_words(threshold: Threshold) -> str:
    amount = formats.amount(threshold.amount, threshold.currency)
    words = {"amount": amount, "what": ADDED_UP[threshold.over]}
    if threshold.window:
        words["window"] = _period_words(threshold.window)
        if threshold.op == "above":
            return _("more than %(amount)s in any %(window)s (%(what)s)") % words
        return _("%(amount)s or more in any %(window)s (%(what)s)") % words
    if threshold.op == "above":
        return _("more than %(amount)s (%(what)s)") % words
    return _("%(amount)s or more (%(what)s)") % words


def _ceiling_words(ceiling: Ceiling) -> str:
    words = {
        "amount": formats.amount(ceiling.amount, ceiling.currency),
        "span": words_of(ceiling.span),
        "measure": words_of(ceiling.measure),
        "basis": words_of(ceiling.basis),
    }
    said = _("%(measure)s of %(amount)s a %(span)s, %(basis)s") % words
    if ceiling.below_age is None:
        return said
    return _("%(ceiling)s, for players below %(age)d") % {"ceiling": said, "age": ceiling.below_age}


def _step_words(step: RaiseStep) -> str:
    words = {"requires": words_of(step.requires), "wait": _period_words(step.wait)}
    if step.then_none_for is None:
        return _("%(requires)s and %(wait)s") % words
    words["rest"] = _period_words(step.then_none_for)
    return _("%(requires)s and %(wait)s, then none for %(rest)s") % words


def _evidence_words(rule: EvidenceRule) -> str:
    parts = [formats.listed([words_of(document) for document in rule.any_of])]
    if rule.max_age_days:
        parts.append(_("at most %(days)s old") % {"days": formats.duration(rule.max_age_days, "day")})
    if rule.good_for_days:
        parts.append(_("asked for anew after %(days)s") % {"days": formats.duration(rule.good_for_days, "day")})
    return "; ".join(parts)
