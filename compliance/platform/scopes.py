"""What an API key may do: resource:act. Alphabetical; a retired one stays as a comment, never to be used again."""

from enum import StrEnum


class Scope(StrEnum):
    ACCOUNTS_CHANGE = "accounts:change"  # apart from accounts:write, which every platform has
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    CONTACTS_READ = "contacts:read"
    COUNTS_READ = "counts:read"
    COUNTS_WRITE = "counts:write"
    CUSTOMERS_WRITE = "customers:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    EVENTS_READ = "events:read"
    EXCLUSIONS_READ = "exclusions:read"
    EXCLUSIONS_WRITE = "exclusions:write"
    GATE_READ = "gate:read"
    LIMITS_CHECK = "limits:check"
    LIMITS_READ = "limits:read"
    LIMITS_WRITE = "limits:write"
    LOG_READ = "log:read"
    MONEY_WRITE = "money:write"
    PING = "ping"  # every key has it
    POLICIES_READ = "policies:read"
    PROPOSALS_READ = "proposals:read"
    STAFF_WRITE = "staff:write"  # all staff, of every licensee
    TRANSACTIONS_READ = "transactions:read"
    TRANSACTIONS_WRITE = "transactions:write"


# A test licensee's keys lie about in trials, so they have nothing that reaches beyond it.
BEYOND_THE_LICENSEE = frozenset({Scope.STAFF_WRITE})
