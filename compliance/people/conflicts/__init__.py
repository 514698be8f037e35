"""Who of the staff knows which player. It stands with people, so that cases, approvals and the vault can all ask."""
