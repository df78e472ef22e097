"""A study from its start or wherever it is to its end; how far it is."""
