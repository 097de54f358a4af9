"""What every action is made of: plan, guard, context, undo, writing kernel files."""
