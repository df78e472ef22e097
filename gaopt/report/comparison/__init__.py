"""What a comparison has to say when it is read. Writing loads scipy, and, where installed, Optuna."""
