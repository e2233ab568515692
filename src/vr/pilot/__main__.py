"""`python -m vr.pilot`, and the first line that runs of `containerpilot.pyz`."""

import sys

from vr.pilot.main import main

if __name__ == "__main__":
    sys.exit(main())
