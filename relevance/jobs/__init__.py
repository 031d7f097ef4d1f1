"""Independent jobs over devices and workers, here or on a cluster."""
