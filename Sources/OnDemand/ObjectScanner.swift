package import ScanClient
package import ScanProtocol

/// Whoever gives verdicts: the daemon's client, or a stand-in in tests.
package protocol ObjectScanner: AnyObject {
    /// - Throws: `ScanClientError`; an error is never a verdict.
    func scan(
        _ object: ScanObject, options: ScanOptions, envelope: ScanEnvelope
    ) throws(ScanClientError) -> ScanVerdict
}

extension ScanConnection: ObjectScanner {}
