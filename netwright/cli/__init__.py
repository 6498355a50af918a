"""The command line: reads flags, calls ``netwright.api``, prints. Nothing heavy is imported before a command needs it."""
