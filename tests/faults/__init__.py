"""Every fault that a study has to live through, caused for real: `make faults` runs all, the tests a few of each."""
