"""What the traffic and the walkers know of a town's roads, taken from its OpenDRIVE once at load."""
