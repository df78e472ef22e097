"""What is written down: events, the history that they tell, the SQLite file, its lock and its place."""
