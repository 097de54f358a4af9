"""The terminal itself: what it sends, what it is sent, and what of that it may be trusted with."""
