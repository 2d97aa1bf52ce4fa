"""Tables and files from a run: neutral documents made by the views, and one small renderer for each format."""
