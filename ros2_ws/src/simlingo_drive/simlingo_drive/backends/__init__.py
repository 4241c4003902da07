"""The worlds one can drive in, each behind CARLA's Python API: the embedded one, or a CARLA server."""
