"""The Cgroups tab."""
