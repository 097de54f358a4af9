"""Rules that name a cause and give advice."""
