"""Parts shared by all actions: plan, guard, context, undo, writing kernel files."""
