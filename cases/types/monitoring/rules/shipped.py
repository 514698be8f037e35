"""The rules that come with the product: typologies of gaming, as drafts with parameters for the operator to set.

Values are operator defaults, not law. To change one here is to change what new installations begin with; versions that
an installation has stay as they are.
"""

from typing import Any, Final

Definition = dict[str, Any]
Shipped = tuple[str, str, str, Definition]


def _number(value: int, words: str) -> dict[str, Any]:
    return {"type": "number", "value": value, "words": words}


def _percent(value: int, words: str) -> dict[str, Any]:
    return {"type": "percent", "value": value, "words": words}


def _money(eur: int, words: str) -> dict[str, Any]:
    """Minor units. A round multiple for each currency that operators of the first markets use; each sets its own."""
    each = {"EUR": eur, "GBP": eur, "USD": eur, "SEK": eur * 10, "DKK": eur * 10, "TRY": eur * 40}
    return {"type": "money", "value": each, "words": words}


def _param(name: str) -> dict[str, Any]:
    return {"param": name}


def _attribute(name: str) -> dict[str, Any]:
    return {"attribute": name}


def _count(feature: str, within: str, **more: str) -> dict[str, Any]:
    return {"count": feature, "within": within, **more}


def _sum(feature: str, within: str, **more: str) -> dict[str, Any]:
    return {"sum": feature, "within": within, **more}


def _rule(on: list[str], when: Definition, *, quiet: int = 168, **parameters: dict[str, Any]) -> Definition:
    return {
        "on": on,
        "when": when,
        "parameters": parameters,
        "cool_down_hours": quiet,
        "jurisdictions": [],
        "segments": [],
    }


# FATF lists as of October 2026 change three times a year: the operator sets its own.
_BLACK: Final = ["IR", "KP", "MM"]
_GREY: Final = ["DZ", "AO", "BO", "BG", "CM", "CI", "CD", "HT", "KE", "LA", "LB", "NP", "SS", "SY", "VE", "VN", "YE"]

SHIPPED: Final[list[Shipped]] = [
    (
        "R01",
        "Deposits just below a threshold",
        "high",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"ge": [_count("near_deposits", "24h"), _param("n")]},
                    {"ge": [_sum("near_deposits", "24h"), _param("threshold")]},
                    {"ge": [_attribute("amount"), {"percent": [_param("threshold"), _param("share")]}]},
                    {"lt": [_attribute("amount"), _param("threshold")]},
                ]
            },
            n=_number(3, "deposits at least"),
            threshold=_money(200_000, "threshold that is avoided"),
            share=_percent(80, "from this share of it"),
        ),
    ),
    (
        "R02",
        "Withdrawal after little play",
        "high",
        _rule(
            ["withdrawal"],
            {
                "all": [
                    {"ge": [_sum("deposits", "30d"), _param("amount")]},
                    {"lt": [_sum("bets", "30d"), {"percent": [_sum("deposits", "30d"), _param("played")]}]},
                    {"ge": [_sum("withdrawals", "30d"), {"percent": [_sum("deposits", "30d"), _param("back")]}]},
                ]
            },
            amount=_money(100_000, "deposits at least"),
            played=_percent(10, "played less than this share of them"),
            back=_percent(80, "withdrawn at least this share of them"),
        ),
    ),
    (
        "R03",
        "Payment instrument of somebody else",
        "high",
        _rule(
            ["deposit", "withdrawal"],
            {"all": [{"ge": [_attribute("holder_match"), 0]}, {"lt": [_attribute("holder_match"), _param("alike")]}]},
            alike=_percent(85, "names less alike than"),
        ),
    ),
    (
        "R04",
        "Many payments in a short time",
        "medium",
        _rule(
            ["deposit", "withdrawal"],
            {
                "any": [
                    {"ge": [_count("payments", "1h"), _param("payments")]},
                    {"ge": [_count("new_instruments", "24h"), _param("instruments")]},
                ]
            },
            quiet=48,
            payments=_number(10, "payments within an hour"),
            instruments=_number(3, "new payment instruments within a day"),
        ),
    ),
    (
        "R05",
        "Device, instrument or network shared with other players",
        "high",
        _rule(
            ["deposit", "withdrawal", "bet"],
            {
                "any": [
                    {"ge": [_attribute("shared_device"), _param("device")]},
                    {"ge": [_attribute("shared_instrument"), _param("instrument")]},
                    {"ge": [_attribute("shared_network"), _param("network")]},
                ]
            },
            device=_number(2, "players on a device"),
            instrument=_number(2, "players on a payment instrument"),
            network=_number(5, "players on a network"),
        ),
    ),
    (
        "R06",
        "Losses to other players in one direction",
        "high",
        _rule(
            ["transfer_out"],
            {
                "all": [
                    {"ge": [_count("transfers_out", "30d"), _param("n")]},
                    {"ge": [_sum("transfers_out", "30d"), _param("amount")]},
                    {
                        "ge": [
                            {"times": [_sum("transfers_out", "30d"), 100]},
                            {
                                "times": [
                                    {"plus": [_sum("transfers_out", "30d"), _sum("transfers_in", "30d")]},
                                    _param("share"),
                                ]
                            },
                        ]
                    },
                ]
            },
            n=_number(20, "hands lost at least"),
            amount=_money(20_000, "lost at least"),
            share=_percent(70, "share that went one way"),
        ),
    ),
    (
        "R07",
        "Large deposit after a long silence",
        "medium",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"ge": [_attribute("days_known"), 183]},
                    {"eq": [_count("activity", "180d", before="3d"), 0]},
                    {"ge": [_sum("deposits", "3d"), _param("amount")]},
                ]
            },
            amount=_money(200_000, "deposits of the first three days at least"),
        ),
    ),
    (
        "R08",
        "Round amounts again and again",
        "low",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"multiple": [_attribute("amount"), _param("unit")]},
                    {"ge": [_count("round_deposits", "30d"), _param("n")]},
                ]
            },
            quiet=720,
            unit=_money(50_000, "multiples of"),
            n=_number(5, "deposits at least"),
        ),
    ),
    (
        "R09",
        "High-risk country (call for action)",
        "high",
        _rule(
            ["deposit", "withdrawal"],
            {
                "any": [
                    {"in": [_attribute("ip_country"), _param("countries")]},
                    {"in": [_attribute("instrument_country"), _param("countries")]},
                    {"in": [_attribute("nationality"), _param("countries")]},
                ]
            },
            quiet=720,
            countries={"type": "words", "value": _BLACK, "words": "countries"},
        ),
    ),
    (
        "R09G",
        "Country under increased monitoring",
        "medium",
        _rule(
            ["deposit", "withdrawal"],
            {
                "any": [
                    {"in": [_attribute("ip_country"), _param("countries")]},
                    {"in": [_attribute("instrument_country"), _param("countries")]},
                ]
            },
            quiet=720,
            countries={"type": "words", "value": _GREY, "words": "countries"},
        ),
    ),
    (
        "R10",
        "Much more than usual",
        "medium",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"ge": [_attribute("days_known"), 60]},
                    {"ge": [_sum("deposits", "7d"), _param("amount")]},
                    {"gt": [_sum("deposits", "90d", before="7d"), 0]},
                    {
                        "ge": [
                            _sum("deposits", "7d"),
                            {"times": [_sum("deposits", "90d", before="7d", per="7d"), _param("times")]},
                        ]
                    },
                ]
            },
            amount=_money(100_000, "deposits of seven days at least"),
            times=_number(5, "times the average of seven days"),
        ),
    ),
    (
        "R11",
        "Bonus played without risk",
        "medium",
        _rule(
            ["bet"],
            {
                "all": [
                    {"ge": [_count("bonuses", "7d"), 1]},
                    {"ge": [_attribute("covered"), _param("covered")]},
                    {"ge": [_count("covered_bets", "7d"), _param("n")]},
                ]
            },
            covered=_percent(90, "share of outcomes covered"),
            n=_number(3, "such bets at least"),
        ),
    ),
    (
        "R12",
        "Withdrawal to another instrument than the deposits",
        "high",
        _rule(
            ["withdrawal"],
            {
                "all": [
                    {"eq": [_attribute("instrument_funded"), 0]},
                    {"gt": [_count("deposits", "180d"), 0]},
                    {"ge": [_attribute("amount"), _param("amount")]},
                ]
            },
            amount=_money(10_000, "withdrawal at least"),
        ),
    ),
    (
        "R13",
        "Many deposits, few large withdrawals",
        "medium",
        _rule(
            ["withdrawal"],
            {
                "all": [
                    {"ge": [_sum("withdrawals", "30d"), _param("amount")]},
                    {"ge": [_count("deposits", "30d"), {"times": [_count("withdrawals", "30d"), _param("ratio")]}]},
                    {"ge": [_sum("withdrawals", "30d"), {"percent": [_sum("deposits", "30d"), _param("back")]}]},
                ]
            },
            amount=_money(100_000, "withdrawn at least"),
            ratio=_number(10, "deposits to one withdrawal"),
            back=_percent(80, "withdrawn at least this share"),
        ),
    ),
    (
        "R14",
        "Deposits beyond the declared income",
        "high",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"gt": [_attribute("income"), 0]},
                    {"ge": [_sum("deposits", "90d"), _param("amount")]},
                    {
                        "gt": [
                            {"times": [_sum("deposits", "90d"), 400]},
                            {"times": [_attribute("income"), _param("share")]},
                        ]
                    },
                ]
            },
            quiet=720,
            amount=_money(100_000, "deposits of 90 days at least"),
            share=_percent(100, "of the income, on a year"),
        ),
    ),
    (
        "R15",
        "Papers forged, used twice or refused",
        "high",
        _rule(["deposit", "withdrawal"], {"fact": "evasion"}, quiet=720),
    ),
    (
        "R16",
        "Mostly prepaid, vouchers or cryptocurrency",
        "medium",
        _rule(
            ["deposit"],
            {
                "all": [
                    {"ge": [_sum("anonymous_deposits", "30d"), _param("amount")]},
                    {
                        "gt": [
                            _sum("anonymous_deposits", "30d"),
                            {"percent": [_sum("deposits", "30d"), _param("share")]},
                        ]
                    },
                ]
            },
            amount=_money(50_000, "such deposits at least"),
            share=_percent(50, "more than this share of deposits"),
        ),
    ),
    (
        "R17",
        "Player on a list of sanctions or exposed persons",
        "critical",
        _rule(["deposit", "withdrawal", "bet"], {"fact": "list_hit"}, quiet=720),
    ),
    (
        "R18",
        "Excluded person on another account",
        "critical",
        _rule(["deposit", "bet"], {"fact": "excluded"}, quiet=720),
    ),
    (
        "R19",
        "Payments taken back again and again",
        "medium",
        _rule(["reversal"], {"ge": [_count("reversals", "30d"), _param("n")]}, n=_number(3, "reversals at least")),
    ),
    (
        "R20",
        "Hidden address or impossible journey",
        "medium",
        _rule(
            ["deposit", "withdrawal", "bet"],
            {
                "any": [
                    {"eq": [_attribute("proxy"), 1]},
                    {"lt": [_attribute("country_minutes"), _param("minutes")]},
                ]
            },
            minutes=_number(60, "minutes from one country to another"),
        ),
    ),
]
