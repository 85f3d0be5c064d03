"""What arrays are filled from, as plain data: laws, plans, seeds and replays. No arrays are made or filled here."""
