"""Where the work of a search happens: in this process, in local workers."""
