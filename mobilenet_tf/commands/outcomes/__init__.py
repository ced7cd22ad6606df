"""What commands return, and the tables that show it."""
