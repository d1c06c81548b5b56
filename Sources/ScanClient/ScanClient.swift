// ScanClient
