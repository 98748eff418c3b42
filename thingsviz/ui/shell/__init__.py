"""The frame of every page: navigation, addresses, session state, notices."""
