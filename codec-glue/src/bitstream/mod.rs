//! Facts read from encoded video: is it a keyframe, what size, which decoder config.
