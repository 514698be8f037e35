"""What an API key may do: resource:act. Alphabetical; a retired one stays as a comment, never to be used again."""

from enum import StrEnum


class Scope(StrEnum):
    ACCOUNTS_WRITE = "accounts:write"
    CASES_READ = "cases:read"
    CASES_WRITE = "cases:write"
    COUNTS_WRITE = "counts:write"
    CUSTOMERS_WRITE = "customers:write"
    DOCUMENTS_READ = "documents:read"
    DOCUMENTS_WRITE = "documents:write"
    GATE_READ = "gate:read"
    PING = "ping"  # every key has it
