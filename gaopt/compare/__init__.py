"""Several searches side by side: planned, run, read again, judged."""
