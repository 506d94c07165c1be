"""What is new of sources that are no files (databases, REST, topics) becomes files of the landing folder."""
