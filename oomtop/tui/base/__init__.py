"""Parts shared by all screens: messages, options, the session, slow reads."""
