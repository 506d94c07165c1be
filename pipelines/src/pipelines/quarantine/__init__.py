"""Where rejected rows and files are kept, with what they broke, and how people work through them."""
