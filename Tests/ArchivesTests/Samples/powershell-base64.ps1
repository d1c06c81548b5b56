$path = "$env:TEMP\eicar.com"
[IO.File]::WriteAllBytes($path, [Convert]::FromBase64String("QSBoYXJtbGVzcyB0ZXh0IGluIHBsYWNlIG9mIHNvbWV0aGluZyB0aGF0IGlzIG5vdC4gMDEyMzQ1Njc4OSBhYmMuDQo="))
Start-Process $path
