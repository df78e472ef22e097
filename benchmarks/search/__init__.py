"""How good searches are on the landscapes of real trainings: `gaopt bench search`."""
