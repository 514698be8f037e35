"""What directories speak when somebody leaves: SCIM 2.0 (RFC 7644), as far as closing a sign-in needs it."""
