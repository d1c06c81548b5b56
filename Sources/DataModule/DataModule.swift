// DataModule
