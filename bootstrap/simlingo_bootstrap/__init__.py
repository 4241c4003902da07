"""Makes the environment that every command runs in. Uses the standard library only."""
