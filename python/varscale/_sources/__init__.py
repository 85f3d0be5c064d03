"""Sources of values, as plain data: laws, plans, seeds and replays. No array is made or filled here."""
