"""Where a finished job looks: map methods, their files, their tests."""
