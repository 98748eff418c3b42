"""`python -m thingsviz` is the console command `thingsviz`."""

import sys

from thingsviz.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
