"""What decides: pure functions from a study's history to its next decision."""
