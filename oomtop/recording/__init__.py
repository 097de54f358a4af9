"""The recording: facts to one file and back."""
