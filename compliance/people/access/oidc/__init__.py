"""Signing in with the operator's own directory (OpenID Connect, code flow with PKCE), where settings name one."""
