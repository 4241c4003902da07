"""Software renderer of the embedded world: colour, semantic and depth images on one CPU core."""
