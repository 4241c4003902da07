"""Closed-loop evaluation in the embedded world."""
