"""Retrieval-augmented generation: retrieve candidates, ask a chat model, read its answers."""
