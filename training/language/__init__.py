"""Language labels: what the expert's driving is called in words."""
