"""Many pieces of work, done once each: on this machine's cores or on a Dask cluster."""
