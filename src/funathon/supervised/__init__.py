"""The supervised model: training it, loading it, coding with it, measuring it."""
