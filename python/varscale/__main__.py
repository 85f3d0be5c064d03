"""The command `python -m varscale`, which is `varscale`; a report of a problem should begin with its `--version`."""

import sys

from ._command.main import main

if __name__ == "__main__":
    sys.exit(main())
