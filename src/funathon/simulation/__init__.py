"""The simulated register of part 3."""
