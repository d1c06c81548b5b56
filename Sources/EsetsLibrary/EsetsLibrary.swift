// EsetsLibrary
