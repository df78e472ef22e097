"""What is measured (`costs`, `search`), and what is caused on purpose: `kills`, `day`, `fuzz`."""
