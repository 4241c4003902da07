"""Background traffic: vehicles that follow lanes, each other, the lights and the right of way."""
