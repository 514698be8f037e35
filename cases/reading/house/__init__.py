"""The operator as the platform reads it: licensee, brands, rules, daily counts."""
