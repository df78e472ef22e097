"""The residual networks of He et al. (2015), and how to train one from a recipe."""
