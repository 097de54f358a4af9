"""The Events tab and the post-mortem."""
