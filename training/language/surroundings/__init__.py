"""What is around a stored frame: the town, and the things in it with how much of each the picture shows."""
