"""Everything that makes a model; needs the extra ``[train]``."""
