"""The rules in force for a licensee: the law, and on top what the operator chose, dated and decided by two."""
