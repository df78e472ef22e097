"""What is seen of a study while it runs: in a terminal, in a notebook, as plain lines."""
