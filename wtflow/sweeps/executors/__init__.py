"""Where the runs of a sweep are computed: on this computer, or on a cluster of Ray."""
