"""What the server says of itself: health, numbers, the Server page."""
