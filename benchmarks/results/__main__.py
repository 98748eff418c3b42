"""Write the tables of benchmarks/README.md from the newest results, or check that they are."""

import sys

from benchmarks.results.tables import main

sys.exit(main())
