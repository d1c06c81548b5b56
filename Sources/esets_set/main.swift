print("esets_set is not written yet")
