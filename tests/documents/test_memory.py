"""A large file takes no more memory than a small one."""

import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.slow
def test_put_get_and_ranges_of_200_mib_grow_the_process_by_less_than_8(tmp_path):
    program = f"import django; django.setup(); from bench.vault import growth; print(growth({str(tmp_path)!r}, 200))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=settings.BASE_DIR, check=True, capture_output=True, text=True
    )
    assert float(done.stdout.split()[-1]) < 8
