"""The native stream in plain `jnp`: traced with the program that uses it, on whatever device that runs on."""
