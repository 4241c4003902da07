"""What there is to say about the frames of a data set, made once and kept: dreams, questions and named causes."""
