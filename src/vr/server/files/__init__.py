"""The file store: names to files, links to them, downloads, and how much may be sent."""
