"""What a comparison has to say when it is read. Writing loads scipy."""
