"""Action Dreaming: what the vehicle would do on a request, rolled out from a stored frame, and what comes of it."""
