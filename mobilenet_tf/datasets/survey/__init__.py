"""Pictures looked at before training: duplicates, and what is unusual about a picture."""
