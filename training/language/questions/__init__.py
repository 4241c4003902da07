"""Questions about a frame with their true answers, from what a data set stores."""
