"""The views, a module per page or family of pages."""
