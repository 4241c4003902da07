"""Runs the bootstrap from the folder: ``python -I -S bootstrap <command> ...``."""

import sys

from simlingo_bootstrap.main import main

sys.exit(main(sys.argv[1:]))
