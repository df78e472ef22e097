"""A Ray cluster as a pool: Ray's door."""
