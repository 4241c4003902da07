"""Sensors of the embedded world; they measure at the end of a tick and call back inside it."""
