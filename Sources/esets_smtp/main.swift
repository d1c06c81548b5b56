print("esets_smtp is not written yet")
