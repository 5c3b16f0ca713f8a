"""The labelled data set as others read it: complete, checked, without identity, split."""
