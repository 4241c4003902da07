"""Who drives: a model, the expert, or a model that is shown something else than the road."""
