// ScanService
