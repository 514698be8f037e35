"""Signed messages from outside: a vendor's answer, a register's notice."""
