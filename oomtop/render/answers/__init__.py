"""What single commands answer, as text and as JSON."""
