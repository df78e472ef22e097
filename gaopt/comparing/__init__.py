"""Searches held against each other: what is compared, how each is run, and how it is read again."""
