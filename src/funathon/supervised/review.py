"""When a person should look at a code, if nobody has said otherwise; by itself, so that the command's help need not import more."""

REVIEW_BELOW = 0.5
"""The confidence below which `funathon code` marks a code for review.

It is where the model holds its answer for likelier than all others together; no target of quality is behind it. What it gives on
the sets of the course stands in the model card, and an office chooses its own on texts of its register.
"""
