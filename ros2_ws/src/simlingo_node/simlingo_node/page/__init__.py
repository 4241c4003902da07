"""The live page: a node that serves what the stack sees and does to browsers on this machine."""
