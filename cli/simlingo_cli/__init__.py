"""The command line behind ``./simlingo``."""

__version__ = "0.1.0"
