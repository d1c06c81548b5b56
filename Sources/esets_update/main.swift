print("esets_update is not written yet")
