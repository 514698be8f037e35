#!/usr/bin/env python
"""Django's command line. `python3 dev.py manage ...` runs it in the right environment on the right database."""

import os
import sys

from django.core.management import execute_from_command_line

from compliance import collecting

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "compliance.settings")
    collecting.seldom()
    execute_from_command_line(sys.argv)
