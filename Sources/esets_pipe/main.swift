print("esets_pipe is not written yet")
