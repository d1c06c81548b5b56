print("esets_cli is not written yet")
