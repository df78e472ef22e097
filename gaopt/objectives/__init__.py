"""What can be tuned: objectives that come with gaopt."""
