"""`documents.sandbox.heifs` as it runs where no filter of system calls is known."""

import platform

from documents.sandbox import heifs, images
from documents.sandbox.box import serve

if __name__ == "__main__":
    platform.machine = lambda: "riscv64"
    assert heifs.pi_heif
    serve(images.work, threads=True)
