"""What any search can be wrapped in: rungs, rules to stop, a budget, finalists."""
