"""PyTorch under another name, with a lie."""
