"""The description of the API (OpenAPI 3.1): its examples, its faults, what changed in it, and types made from it.

`manage.py platform openapi --write` writes it down (docs/reference/openapi.json, types of the Python client); a test
compares what is written with what is, and refuses what would break a platform.
"""
