"""The command `varscale`: a file for each verb, and for what verbs read."""
