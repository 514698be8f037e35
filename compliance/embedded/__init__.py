"""What `dev.py` and the tests start by themselves: PostgreSQL, the web server, the worker, the sequencer.

Standard library only: the system's Python imports this before the environment exists.
"""
