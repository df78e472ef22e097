"""What trainings are: the protocol, image classifiers, toy functions."""
