"""make faults. `python -m tests.faults ROW…` tries those rows only, and leaves the document alone."""

import sys

from tests.faults.table import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
