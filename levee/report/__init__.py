"""What people are shown of a plan and of a run: in the terminal, and as one page."""
