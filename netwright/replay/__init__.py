"""A search over a table: the same loop on a simulated clock, and in the end what the table itself says of the winner."""
