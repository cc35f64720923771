"""Work in a process of its own, which has a memory and a time limit and can be ended at any moment.

What strangers send is taken apart there: what goes wrong ends that process and no other, and what
comes back is numbers and bytes, never code.
"""
