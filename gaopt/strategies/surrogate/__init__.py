"""The default search: a genetic algorithm whose offspring are chosen by a Gaussian process."""
