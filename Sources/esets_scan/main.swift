print("esets_scan is not written yet")
