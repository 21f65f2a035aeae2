"""The course itself: chapters, notebooks, checks, pages, site."""
