"""Who clones and synthesizes: one door, one file per dialect behind it."""
