"""Does it listen, answer and refuse: the suites of ``./simlingo bench language``."""
