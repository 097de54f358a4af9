"""The app that holds the screens: bindings, sampling thread, start and exit."""
