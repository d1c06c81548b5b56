print("esets_daemon is not written yet")
