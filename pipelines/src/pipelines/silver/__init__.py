"""Bronze into silver: typed, without repeats, personal columns masked, and every rejected row accounted for."""
