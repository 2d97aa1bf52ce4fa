"""Data sets: definitions, decoders, where they lie, how they are fetched, and the cache of decoded arrays."""
