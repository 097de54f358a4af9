"""Menus and dialogs that plan, confirm and run actions."""
