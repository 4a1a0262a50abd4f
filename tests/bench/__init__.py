"""``make bench``: how fast Kinroom is, as ratios to a floor measured in the same run."""
