"""The console commands, one a module; started, never imported by the rest."""
