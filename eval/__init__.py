"""Judging: what a model is worth, beside what else corrects words."""
