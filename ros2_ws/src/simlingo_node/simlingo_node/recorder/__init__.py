"""The recorder: a node that keeps a drive as video (MP4) and as a bag (MCAP)."""
