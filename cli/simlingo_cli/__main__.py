"""``python -m simlingo_cli``."""

import sys

from simlingo_cli.main import main

sys.exit(main(sys.argv[1:]))
