"""`python -m documents.sandbox.heifs`: inspect or draw one HEIC, as telephones take their photographs."""

import pi_heif

from documents.sandbox import images
from documents.sandbox.box import serve

# The picture alone: its small copy, its depth and what else hangs on it are not looked at. One thread is the decoder's.
pi_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)

if __name__ == "__main__":
    serve(images.work, threads=True)
