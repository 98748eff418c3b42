"""The Streamlit side: frame, state, caches, pickers and views that the pages compose."""
