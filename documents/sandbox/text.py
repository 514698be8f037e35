"""`python -m documents.sandbox.text PROGRAM [ARGUMENT...]`: tesseract under the limits of the box.

In: a picture as PGM.   Out: the text.
"""

import sys

from documents.sandbox.box import become

if __name__ == "__main__":
    become(*sys.argv[1:])
