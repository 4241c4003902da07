"""Things beside and at the edge of the lanes: what stands together, where it is put by seed, how traffic gets past."""
