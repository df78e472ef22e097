"""Experiments of the two ResNet papers, run again and held against what they print."""
