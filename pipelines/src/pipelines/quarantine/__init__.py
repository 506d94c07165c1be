"""Where rejected rows and files are kept, with what they broke, until they are replayed or expire."""
