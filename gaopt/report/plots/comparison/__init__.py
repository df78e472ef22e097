"""A comparison as figures: each a function to an SVG that stands alone, or None where there is nothing to draw."""
