"""The command. One file a command: arguments, a recipe, one library call, a table or JSON."""
