"""admit: from what agencies publish to what the platform vouches for."""
