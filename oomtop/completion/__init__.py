"""What a shell completes, and what the manual lists: made from the parsers of the command line, so that it is right."""
