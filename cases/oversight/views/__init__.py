"""The pages of oversight: what auditors ask for, and what a team lead watches."""
