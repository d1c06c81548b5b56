print("esets_mod is not written yet")
