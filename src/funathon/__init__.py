"""The package behind the course on automatic coding into NACE Rev. 2.1."""
