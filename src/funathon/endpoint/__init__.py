"""The embedded OpenAI-compatible endpoint: real embeddings, and a stand-in for chat."""
