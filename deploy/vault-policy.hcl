# What Mizan asks of Vault's transit engine: policy for the token of the services.
#   vault secrets enable transit
#   vault policy write mizan deploy/vault-policy.hcl
# `manage.py keys ensure` makes the keys `mizan` (aes256-gcm96, derived) and `mizan-derive`; it needs the last two blocks,
# as does `keys rotate`. The services need only the others: give them a token of their own without the last two.

path "transit/encrypt/mizan" { capabilities = ["update"] }
path "transit/decrypt/mizan" { capabilities = ["update"] }
path "transit/rewrap/mizan" { capabilities = ["update"] }
path "transit/hmac/mizan-derive" { capabilities = ["update"] }
path "transit/keys/mizan" { capabilities = ["read"] }
path "transit/keys/mizan-derive" { capabilities = ["read"] }

# Only for `manage.py keys ensure` and `manage.py keys rotate`:
path "transit/keys/mizan/*" { capabilities = ["create", "update"] }
path "transit/keys/*" { capabilities = ["create", "read", "update"] }
