"""The subcommands of ``speller``, each imported only when it runs, and what they share."""
