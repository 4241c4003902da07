"""The model: configuration, picture, prompt, network and its ways of running."""
