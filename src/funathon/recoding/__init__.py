"""Recoding a register from NACE Rev. 2 to Rev. 2.1, or back: `funathon recode`."""
