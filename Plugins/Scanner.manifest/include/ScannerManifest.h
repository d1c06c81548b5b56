// no declarations: the manifest is a note in the file
