"""Picture files taken apart before anything of them is decoded, one format a module."""
