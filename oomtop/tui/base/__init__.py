"""What all screens share and no widget is: messages, options, the session, slow reads."""
