"""From records to figures: summaries, intervals and ratios. Pure Python; nothing here needs numpy or scipy."""
