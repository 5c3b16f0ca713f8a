"""`python -m nearl_core`: the command line."""

import sys

from nearl_core.cli import main

if __name__ == "__main__":  # decoding processes import this module under another name
    sys.exit(main())
